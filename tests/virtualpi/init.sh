# PID 1 of the virtual Pi, from here on: makes it look like a Pi, runs /out/job, notes its exit status, powers off.
# Started by /sbin/vpi-init with VPI_MODULE, VPI_OUT and VPI_NUMBA, which are folders of the host. Where VPI_BOOT is
# "systemd" it is systemd that runs the job, as its last service.
export PATH=/opt/halfpercent/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run LC_ALL=C.UTF-8
mount -t proc none /proc
mount -t sysfs none /sys
mount -t tmpfs none /run
mount -t tmpfs none /tmp
mount -t configfs none /sys/kernel/config
mount -r -t hostfs -o "$VPI_MODULE" none /vpi
mount -t hostfs -o "$VPI_OUT" none /out
mkdir /run/numba
mount -t hostfs -o "$VPI_NUMBA" none /run/numba

# gpiozero asks which Pi this is.
cat /proc/cpuinfo > /run/cpuinfo
printf 'Revision\t: c03114\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n' >> /run/cpuinfo
mount --bind /run/cpuinfo /proc/cpuinfo
insmod /vpi/vpibus.ko || echo "vpibus: cannot be loaded"

if [ "$VPI_BOOT" = systemd ]; then
    echo 0123456789abcdef0123456789abcdef > /etc/machine-id  # with none it would be a first boot, which enables units
    mkdir -p /run/systemd/system/multi-user.target.wants
    cp /halfpercent/tests/virtualpi/vpi-job.service /run/systemd/system/
    ln -s ../vpi-job.service /run/systemd/system/multi-user.target.wants/
    exec /lib/systemd/systemd
fi

# lgpio wants a working directory that it can write to; nothing is written beside the sources.
mkdir /run/halfpercent
cd /run/halfpercent
export GPIOZERO_PIN_FACTORY=lgpio PYTHONPATH=/halfpercent:/halfpercent/tests:/halfpercent/tests/helpers
export PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=/run/numba
/bin/sh /out/job
echo $? > /out/status
systemctl poweroff -ff
