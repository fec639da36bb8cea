// SPDX-License-Identifier: GPL-2.0
/*
 * vpibus: the pins of a Raspberry Pi whose far ends are in user space.
 *
 * It registers an i2c_adapter (/dev/i2c-1), an spi_controller with two chip-selects (/dev/spidev0.0 and 0.1) and
 * a gpio_chip with the Pi 4's label and line names (/dev/gpiochip0). Whoever opens /dev/vpibus is the wires: each
 * transfer, and each edge or look at a wired line, is one request that it reads and one reply that it writes.
 * The kernel's own i2c-dev, spidev and gpiolib parse what programs send; nothing here knows any chip.
 *
 * A request is native-endian u32 words, data padded by nothing: kind, then
 *   0 I2C        n, then n times: address, is_read, length, and the data if it is a write
 *   1 SPI        n, then n times: chip-select, mode (0..3), speed in Hz, cs_change, length, data
 *   2 GPIO set   line, level
 *   3 GPIO get   line
 *   4 GPIO turn  line, is_output, level
 * A reply is s32 result (-errno; for GPIO get the level), then the bytes read. Without a reply within timeout_ms
 * the transfer fails with ETIMEDOUT, without an opener with ENXIO. SPI has no acknowledge: there the host reads ones.
 *
 * Lines that are not wired (VPIBUS_WIRE) keep what they are driven to, or where their bias pulls them;
 * VPIBUS_DRIVE drives an input from outside, with an interrupt at each edge.
 */
#include <linux/gpio/driver.h>
#include <linux/i2c.h>
#include <linux/interrupt.h>
#include <linux/irq_sim.h>
#include <linux/irqdomain.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spi/spi.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#define SIZE		65536
#define LINES		58
#define VPIBUS_WIRE	_IOW('v', 1, u64)	/* bit n: line n ends in user space */
#define VPIBUS_DRIVE	_IOW('v', 2, u32)	/* line << 1 | level */

enum kind { I2C, SPI, GPIO_SET, GPIO_GET, GPIO_TURN };
enum state { IDLE, ASKED, TAKEN, ANSWERED };

static int timeout_ms = 10000;
module_param(timeout_ms, int, 0644);

/* One request at a time: bus_lock is held from the request's first byte until its reply is used up. */
static DEFINE_MUTEX(bus_lock);
static DEFINE_MUTEX(state_lock);
static DECLARE_WAIT_QUEUE_HEAD(asked);
static DECLARE_WAIT_QUEUE_HEAD(answered);
static enum state state;
static bool served;
static u8 *request, *reply;
static size_t request_len, reply_len;

static struct platform_device *device;
static struct spi_controller *spi;
static struct irq_domain *irqs;

static struct { bool out, level, driven; } lines[LINES];
static u64 wired;

static int put(const void *data, size_t n)
{
	if (request_len + n > SIZE)
		return -EMSGSIZE;
	if (data)
		memcpy(request + request_len, data, n);
	else
		memset(request + request_len, 0, n);
	request_len += n;
	return 0;
}

static int put_words(const u32 *words, int n)
{
	return put(words, n * sizeof(u32));
}

#define PUT(...) put_words((const u32[]){ __VA_ARGS__ }, ARRAY_SIZE(((const u32[]){ __VA_ARGS__ })))

/* Hand the request over and wait for the reply; bus_lock is held. */
static int transact(void)
{
	long left;
	int result;

	mutex_lock(&state_lock);
	if (!served) {
		mutex_unlock(&state_lock);
		return -ENXIO;
	}
	state = ASKED;
	mutex_unlock(&state_lock);
	wake_up(&asked);
	left = wait_event_timeout(answered, READ_ONCE(state) == ANSWERED || !READ_ONCE(served),
				  msecs_to_jiffies(timeout_ms));
	mutex_lock(&state_lock);
	if (state == ANSWERED && reply_len >= sizeof(s32))
		memcpy(&result, reply, sizeof(s32));
	else
		result = left ? -ENXIO : -ETIMEDOUT;
	state = IDLE;
	mutex_unlock(&state_lock);
	return result;
}

/* I2C */

static int bus_i2c(struct i2c_adapter *adapter, struct i2c_msg *msgs, int n)
{
	size_t at = sizeof(s32);
	int i, r;

	mutex_lock(&bus_lock);
	request_len = 0;
	r = PUT(I2C, n);
	for (i = 0; i < n && !r; i++) {
		bool is_read = msgs[i].flags & I2C_M_RD;

		r = PUT(msgs[i].addr, is_read, msgs[i].len);
		if (!r && !is_read)
			r = put(msgs[i].buf, msgs[i].len);
	}
	if (!r)
		r = transact();
	for (i = 0; i < n && r >= 0; i++) {
		if (!(msgs[i].flags & I2C_M_RD))
			continue;
		if (at + msgs[i].len > reply_len) {
			r = -EIO;
			break;
		}
		memcpy(msgs[i].buf, reply + at, msgs[i].len);
		at += msgs[i].len;
	}
	mutex_unlock(&bus_lock);
	return r < 0 ? r : n;
}

static u32 bus_i2c_functions(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static const struct i2c_algorithm bus_i2c_algorithm = {
	.master_xfer = bus_i2c,
	.functionality = bus_i2c_functions,
};

static struct i2c_adapter adapter = {
	.owner = THIS_MODULE,
	.algo = &bus_i2c_algorithm,
	.name = "vpibus i2c",
	.nr = 1,
};

/* SPI */

static int bus_spi(struct spi_controller *controller, struct spi_message *message)
{
	struct spi_device *chip = message->spi;
	struct spi_transfer *x;
	size_t at = sizeof(s32);
	u32 n = 0;
	int r;

	mutex_lock(&bus_lock);
	request_len = 0;
	list_for_each_entry(x, &message->transfers, transfer_list)
		n++;
	r = PUT(SPI, n);
	list_for_each_entry(x, &message->transfers, transfer_list) {
		r = r ?: PUT(spi_get_chipselect(chip, 0), chip->mode & SPI_MODE_X_MASK, x->speed_hz, x->cs_change, x->len);
		r = r ?: put(x->tx_buf, x->len);
	}
	if (!r)
		r = transact();
	message->actual_length = 0;
	list_for_each_entry(x, &message->transfers, transfer_list) {
		if (x->rx_buf && r >= 0 && at + x->len <= reply_len)
			memcpy(x->rx_buf, reply + at, x->len);
		else if (x->rx_buf)
			memset(x->rx_buf, 0xff, x->len);
		at += x->len;
		message->actual_length += x->len;
	}
	mutex_unlock(&bus_lock);
	message->status = r == -EMSGSIZE || r == -ETIMEDOUT ? r : 0;
	spi_finalize_current_message(controller);
	return message->status;
}

/* GPIO */

static const char *const names[LINES] = {
	"ID_SDA", "ID_SCL", "GPIO2", "GPIO3", "GPIO4", "GPIO5", "GPIO6", "GPIO7", "GPIO8", "GPIO9", "GPIO10", "GPIO11",
	"GPIO12", "GPIO13", "GPIO14", "GPIO15", "GPIO16", "GPIO17", "GPIO18", "GPIO19", "GPIO20", "GPIO21", "GPIO22",
	"GPIO23", "GPIO24", "GPIO25", "GPIO26", "GPIO27", "RGMII_MDIO", "RGMIO_MDC", "CTS0", "RTS0", "TXD0", "RXD0",
	"SD1_CLK", "SD1_CMD", "SD1_DATA0", "SD1_DATA1", "SD1_DATA2", "SD1_DATA3", "PWM0_MISO", "PWM1_MOSI",
	"STATUS_LED_G_CLK", "SPIFLASH_CE_N", "SDA0", "SCL0", "RGMII_RXCLK", "RGMII_RXCTL", "RGMII_RXD0", "RGMII_RXD1",
	"RGMII_RXD2", "RGMII_RXD3", "RGMII_TXCLK", "RGMII_TXCTL", "RGMII_TXD0", "RGMII_TXD1", "RGMII_TXD2", "RGMII_TXD3",
};

static bool is_wired(unsigned int line)
{
	return READ_ONCE(wired) >> line & 1;
}

static int line_request(enum kind kind, unsigned int line, u32 a, u32 b)
{
	static const int words[] = { [GPIO_SET] = 3, [GPIO_GET] = 2, [GPIO_TURN] = 4 };
	const u32 all[] = { kind, line, a, b };
	int r;

	mutex_lock(&bus_lock);
	request_len = 0;
	r = put_words(all, words[kind]);
	r = r ?: transact();
	mutex_unlock(&bus_lock);
	return r;
}

static int line_direction(struct gpio_chip *chip, unsigned int line)
{
	return lines[line].out ? GPIO_LINE_DIRECTION_OUT : GPIO_LINE_DIRECTION_IN;
}

static int line_input(struct gpio_chip *chip, unsigned int line)
{
	lines[line].out = false;
	if (is_wired(line))
		line_request(GPIO_TURN, line, 0, 0);
	return 0;
}

static int line_output(struct gpio_chip *chip, unsigned int line, int level)
{
	lines[line].out = true;
	lines[line].level = level;
	if (is_wired(line))
		line_request(GPIO_TURN, line, 1, level);
	return 0;
}

static int line_get(struct gpio_chip *chip, unsigned int line)
{
	int r;

	if (!lines[line].out && is_wired(line)) {
		r = line_request(GPIO_GET, line, 0, 0);
		if (r != -ENXIO)	/* nobody at the other end: the bias decides */
			return r;
	}
	return lines[line].level;
}

static void line_set(struct gpio_chip *chip, unsigned int line, int level)
{
	lines[line].level = level;
	if (is_wired(line))
		line_request(GPIO_SET, line, level, 0);
}

static int line_config(struct gpio_chip *chip, unsigned int line, unsigned long config)
{
	switch (pinconf_to_config_param(config)) {
	case PIN_CONFIG_BIAS_PULL_UP:
	case PIN_CONFIG_BIAS_PULL_DOWN:
		if (!lines[line].out && !lines[line].driven)
			lines[line].level = pinconf_to_config_param(config) == PIN_CONFIG_BIAS_PULL_UP;
		return 0;
	case PIN_CONFIG_BIAS_DISABLE:
	case PIN_CONFIG_DRIVE_PUSH_PULL:
		return 0;
	default:
		return -ENOTSUPP;
	}
}

static int line_irq(struct gpio_chip *chip, unsigned int line)
{
	return irq_create_mapping(irqs, line);
}

static int drive(u32 value)
{
	unsigned int line = value >> 1, irq, trigger;
	bool level = value & 1;

	if (line >= LINES || lines[line].out)
		return -EINVAL;
	lines[line].driven = true;
	if (lines[line].level == level)
		return 0;
	lines[line].level = level;
	irq = irq_find_mapping(irqs, line);
	trigger = irq ? irq_get_trigger_type(irq) : 0;
	if (trigger & (level ? IRQ_TYPE_EDGE_RISING : IRQ_TYPE_EDGE_FALLING))
		return irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, true);
	return 0;
}

static struct gpio_chip gpio = {
	.label = "pinctrl-bcm2711",
	.owner = THIS_MODULE,
	.base = -1,
	.ngpio = LINES,
	.names = names,
	.can_sleep = true,
	.get_direction = line_direction,
	.direction_input = line_input,
	.direction_output = line_output,
	.get = line_get,
	.set = line_set,
	.set_config = line_config,
	.to_irq = line_irq,
};

/* The far end */

static int far_open(struct inode *inode, struct file *file)
{
	int r = 0;

	mutex_lock(&state_lock);
	if (served)
		r = -EBUSY;
	else
		served = true;
	mutex_unlock(&state_lock);
	return r;
}

static int far_release(struct inode *inode, struct file *file)
{
	mutex_lock(&state_lock);
	served = false;
	wired = 0;
	mutex_unlock(&state_lock);
	wake_up(&answered);
	return 0;
}

static ssize_t far_read(struct file *file, char __user *to, size_t n, loff_t *offset)
{
	ssize_t r;

	if (READ_ONCE(state) != ASKED && (file->f_flags & O_NONBLOCK))
		return -EAGAIN;
	if (wait_event_interruptible(asked, READ_ONCE(state) == ASKED))
		return -ERESTARTSYS;
	mutex_lock(&state_lock);
	if (state != ASKED)
		r = -EAGAIN;	/* it was given up in the meantime */
	else if (n < request_len)
		r = -EMSGSIZE;
	else if (copy_to_user(to, request, request_len))
		r = -EFAULT;
	else
		r = request_len;
	if (r >= 0)
		state = TAKEN;
	mutex_unlock(&state_lock);
	return r;
}

static ssize_t far_write(struct file *file, const char __user *from, size_t n, loff_t *offset)
{
	ssize_t r = n;

	mutex_lock(&state_lock);
	if (state != TAKEN || n > SIZE)
		r = -EINVAL;
	else if (copy_from_user(reply, from, n))
		r = -EFAULT;
	if (r >= 0) {
		reply_len = n;
		state = ANSWERED;
	}
	mutex_unlock(&state_lock);
	if (r >= 0)
		wake_up(&answered);
	return r;
}

static __poll_t far_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &asked, table);
	return READ_ONCE(state) == ASKED ? EPOLLIN | EPOLLRDNORM : 0;
}

static long far_ioctl(struct file *file, unsigned int what, unsigned long arg)
{
	u32 value;
	u64 mask;

	switch (what) {
	case VPIBUS_WIRE:
		if (copy_from_user(&mask, (void __user *)arg, sizeof(mask)))
			return -EFAULT;
		WRITE_ONCE(wired, mask & (BIT_ULL(LINES) - 1));
		return 0;
	case VPIBUS_DRIVE:
		if (copy_from_user(&value, (void __user *)arg, sizeof(value)))
			return -EFAULT;
		return drive(value);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations far_operations = {
	.owner = THIS_MODULE,
	.open = far_open,
	.release = far_release,
	.read = far_read,
	.write = far_write,
	.poll = far_poll,
	.unlocked_ioctl = far_ioctl,
};

static struct miscdevice far = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vpibus",
	.fops = &far_operations,
	.mode = 0600,
};

static int __init vpibus_init(void)
{
	/* A modalias that the kernel's spidev knows: only then is there a /dev/spidev. */
	struct spi_board_info chip = { .modalias = "dh2228fv", .max_speed_hz = 5000000 };
	int r;

	request = kzalloc(SIZE, GFP_KERNEL);
	reply = kzalloc(SIZE, GFP_KERNEL);
	if (!request || !reply) {
		r = -ENOMEM;
		goto free;
	}
	device = platform_device_register_simple("vpibus", -1, NULL, 0);
	if (IS_ERR(device)) {
		r = PTR_ERR(device);
		goto free;
	}
	irqs = irq_domain_create_sim(NULL, LINES);
	if (IS_ERR(irqs)) {
		r = PTR_ERR(irqs);
		goto undevice;
	}
	gpio.parent = &device->dev;
	r = gpiochip_add_data(&gpio, NULL);
	if (r)
		goto unirq;
	adapter.dev.parent = &device->dev;
	r = i2c_add_numbered_adapter(&adapter);
	if (r)
		goto ungpio;
	spi = spi_alloc_host(&device->dev, 0);
	if (!spi) {
		r = -ENOMEM;
		goto uni2c;
	}
	spi->bus_num = 0;
	spi->num_chipselect = 2;
	spi->mode_bits = SPI_MODE_X_MASK | SPI_CS_HIGH | SPI_NO_CS | SPI_3WIRE | SPI_LSB_FIRST;
	spi->transfer_one_message = bus_spi;
	r = spi_register_controller(spi);
	if (r) {
		spi_controller_put(spi);
		goto uni2c;
	}
	for (chip.chip_select = 0; chip.chip_select < 2; chip.chip_select++)
		if (!spi_new_device(spi, &chip))
			pr_warn("vpibus: no spidev0.%d\n", chip.chip_select);
	r = misc_register(&far);
	if (!r)
		return 0;
	spi_unregister_controller(spi);
uni2c:
	i2c_del_adapter(&adapter);
ungpio:
	gpiochip_remove(&gpio);
unirq:
	irq_domain_remove_sim(irqs);
undevice:
	platform_device_unregister(device);
free:
	kfree(request);
	kfree(reply);
	return r;
}

static void __exit vpibus_exit(void)
{
	misc_deregister(&far);
	spi_unregister_controller(spi);
	i2c_del_adapter(&adapter);
	gpiochip_remove(&gpio);
	irq_domain_remove_sim(irqs);
	platform_device_unregister(device);
	kfree(request);
	kfree(reply);
}

module_init(vpibus_init);
module_exit(vpibus_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("I2C, SPI and GPIO whose far ends are in user space");
