/* The sums of edge/fold/kernel.py in C: what its speed is measured against. Same order of operations, so same bits.
 * Compile with -O2 -ffp-contract=off. fold_speed.py writes fold_layout.h, the structs params_t, state_t and row_t, from
 * the records PARAMS, STATE and ROW of edge/fold/layout.py. */
#include <math.h>

#include "fold_layout.h"

static const double CVD_C = -4.183e-12;

static double rtd_c(double value, int64_t is_code, double ref_ohm, double r0_ohm, double lead_ohm,
                    double a, double b)
{
    if (is_code == 0)
        return value;
    double w = (value / 32768.0 * ref_ohm - lead_ohm) / r0_ohm;
    double under_root = a * a - 4.0 * b * (1.0 - w);
    if (!(under_root >= 0.0))
        return NAN;
    double t = (-a + sqrt(under_root)) / (2.0 * b);
    if (w < 1.0)
        for (int i = 0; i < 6; i++) {
            double f = 1.0 + t * (a + t * (b + CVD_C * (t - 100.0) * t)) - w;
            double slope = a + t * (2.0 * b + CVD_C * t * (4.0 * t - 300.0));
            t = t - f / slope;
        }
    return t;
}

static int believed(const double *work, int64_t i, int64_t hi, double gate)
{
    if (gate <= 0.0)
        return 1;
    double x = work[i];
    int64_t start = i - 2 > 0 ? i - 2 : 0, stop = i + 3 < hi ? i + 3 : hi;
    int64_t as_high = 0, as_low = 0;
    for (int64_t j = start; j < stop; j++) {
        if (work[j] >= x - gate)
            as_high++;
        if (work[j] <= x + gate)
            as_low++;
    }
    int64_t half = (stop - start - 1) / 2;
    return as_high > half && as_low > half;
}

static void gate_and_sum(state_t *s, const double *work, int64_t start, int64_t stop, int64_t hi, double gate)
{
    int64_t n = s->n, n_spike = s->n_spike;
    double mean_g = s->mean_g, m2 = s->m2_g2, mean_code = s->mean_code;
    const double zero = s->zero, divisor = s->divisor, linearity = s->linearity;
    for (int64_t i = start; i < stop; i++) {
        if (!believed(work, i, hi, gate)) {
            n_spike++;
            continue;
        }
        double load = (work[i] - zero) / divisor;
        double g = load + linearity * load * load;
        n++;
        if (n == 1) {
            mean_g = g;
            mean_code = work[i];
        } else {
            double d = g - mean_g;
            mean_g += d / (double)n;
            m2 += d * (g - mean_g);
            mean_code += (work[i] - mean_code) / (double)n;
        }
    }
    s->n = n;
    s->n_spike = n_spike;
    s->mean_g = mean_g;
    s->m2_g2 = m2;
    s->mean_code = mean_code;
}

static int begin(const params_t *p, state_t *s, int64_t seq, double t_s, double oven, int oven_ok, double cell,
                 int cell_ok, double pressure, int pressure_ok)
{
    s->open = 1;
    s->seq = seq;
    s->t_s = t_s;
    s->n = s->n_bad = s->n_spike = s->bad_mask = 0;
    s->mean_g = NAN;
    s->m2_g2 = 0.0;
    s->mean_code = NAN;

    double temp_c = NAN;
    if (oven_ok)
        temp_c = rtd_c(oven, p->rtd_is_code, p->oven_ref_ohm, p->oven_r0_ohm, p->oven_lead_ohm,
                       p->oven_a, p->oven_b);
    s->temp_c = temp_c;
    s->pressure_pa = pressure_ok ? pressure : NAN;

    int known = 1;
    if (p->cell_source == 0) {
        double cell_c = NAN;
        if (cell_ok)
            cell_c = rtd_c(cell, p->rtd_is_code, p->cell_ref_ohm, p->cell_r0_ohm, p->cell_lead_ohm,
                           p->cell_a, p->cell_b);
        if (cell_c == cell_c) {
            s->lag_c = cell_c;
            s->lag_known = 1;
            s->lag_t_s = t_s;
        }
    } else if (p->cell_source == 1 && temp_c == temp_c) {
        double target_c = p->cell_offset_c + p->cell_per_oven * temp_c;
        if (s->lag_known == 0) {
            s->lag_c = target_c;
            s->lag_known = 1;
        } else {
            double dt = t_s - s->lag_t_s;
            s->lag_c += dt / (p->cell_lag_s + dt) * (target_c - s->lag_c);
        }
        s->lag_t_s = t_s;
    }
    s->cell_temp_c = NAN;
    double dt_c = 0.0;
    if (p->cell_source != 2) {
        known = s->lag_known == 1 && t_s - s->lag_t_s <= p->max_gap_s;
        if (known) {
            s->cell_temp_c = s->lag_c;
            dt_c = s->lag_c - p->t_ref_c;
        }
    }
    s->thermal_code = p->zero_code_per_k * dt_c;
    s->zero = p->tare_code + s->thermal_code;
    s->divisor = p->span_code_per_g * (1.0 + p->span_per_k * dt_c);
    s->linearity = p->linearity_per_g;
    if (s->divisor == 0.0)
        known = 0;

    int inside = 1;
    if (p->temp_needed == 1) {
        double off_c = temp_c - p->hold_temp_c;
        inside = off_c <= p->hold_band_c && -off_c <= p->hold_band_c;
    }
    if (p->pressure_needed == 1)
        inside = inside && s->pressure_pa <= p->pressure_limit_pa;
    s->in_limits = inside;
    return known;
}

static void close_second(const params_t *p, state_t *s, row_t *row)
{
    int64_t n = s->n;
    double t_s = s->t_s, mass_g = s->mean_g;
    int may_count = p->armed == 1 && s->in_limits == 1;
    int enough = n > 0 && n >= s->n_bad + s->n_spike;
    int64_t qualified = may_count && enough;
    if (enough || !may_count) {
        double dt = t_s - s->closed_t_s;
        int seen = s->closed == 1 && dt <= p->max_gap_s;
        if (p->armed == 1 && p->restart_on_excursion == 1 && (qualified == 0 || !seen)) {
            s->hold_s = 0.0;
            s->hold_start_g = NAN;
        }
        if (qualified == 1) {
            if (seen && s->closed_qualified == 1)
                s->hold_s += dt;
            if (s->hold_start_g != s->hold_start_g)
                s->hold_start_g = mass_g;
        }
        s->closed = 1;
        s->closed_t_s = t_s;
        s->closed_qualified = qualified;
    }

    if (n > 0) {
        if (s->last_g == s->last_g) {
            double span_s = t_s - s->last_g_t_s;
            double slope = (mass_g - s->last_g) / span_s * 3600.0;
            if (s->drift_g_per_h == s->drift_g_per_h)
                s->drift_g_per_h += span_s / (600.0 + span_s) * (slope - s->drift_g_per_h);
            else
                s->drift_g_per_h = 0.0;
        }
        s->last_g = mass_g;
        s->last_g_t_s = t_s;
    }

    double base_g = p->base_is_hold_start == 1 ? s->hold_start_g : p->base_g;
    double reference_g = p->reference_g == p->reference_g ? p->reference_g : base_g;
    row->seq = s->seq;
    row->t_s = t_s;
    row->n_ok = n;
    row->n_bad = s->n_bad;
    row->n_spike = s->n_spike;
    row->bad_mask = s->bad_mask;
    row->mass_g = mass_g;
    row->sd_g = n > 1 ? sqrt(s->m2_g2 / (double)(n - 1)) : NAN;
    row->zero_code = s->mean_code - s->thermal_code;
    row->temp_c = s->temp_c;
    row->cell_temp_c = s->cell_temp_c;
    row->pressure_pa = s->pressure_pa;
    row->qualified = qualified;
    row->hold_s = s->hold_s;
    row->loss_pct = reference_g != 0.0 ? (base_g - mass_g) / reference_g * 100.0 : NAN;
    row->drift_g_per_h = s->drift_g_per_h;
    s->open = 0;
}

int64_t fold_advance(const params_t *p, state_t *s, int64_t n_frames, const int64_t *seq, const double *t_s,
                     const int64_t *first, const double *code, const uint8_t *status, const double *oven,
                     const uint8_t *oven_status, const double *cell, const uint8_t *cell_status,
                     const double *pressure, const uint8_t *pressure_status, row_t *rows, double *work)
{
    double gate = p->gate_code;
    int64_t n_rows = 0, n_work = s->n_work, n_tail = s->n_tail;
    for (int64_t i = 0; i < n_work; i++)
        work[i] = s->work[i];
    for (int64_t f = 0; f < n_frames; f++) {
        int64_t m = n_work, n_bad = 0, bad_mask = 0;
        for (int64_t i = first[f]; i < first[f + 1]; i++) {
            if (status[i] == 0)
                work[m++] = code[i];
            else {
                n_bad++;
                bad_mask |= INT64_C(1) << status[i];
            }
        }
        if (s->open == 1) {
            gate_and_sum(s, work, n_work - n_tail, n_work, m, gate);
            close_second(p, s, &rows[n_rows++]);
        }
        int known = begin(p, s, seq[f], t_s[f], oven[f], oven_status[f] == 0, cell[f], cell_status[f] == 0,
                          pressure[f], pressure_status[f] == 0);
        s->n_bad = n_bad;
        s->bad_mask = bad_mask;
        n_tail = m - n_work < 2 ? m - n_work : 2;
        if (known)
            gate_and_sum(s, work, n_work, m - n_tail, m, gate);
        else if (m > n_work) {
            s->n_bad += m - n_work;
            s->bad_mask |= 1 << 9;
            n_tail = 0;
        }
        int64_t keep = m < 4 ? m : 4;
        for (int64_t i = 0; i < keep; i++)
            work[i] = work[m - keep + i];
        n_work = keep;
    }
    for (int64_t i = 0; i < n_work; i++)
        s->work[i] = work[i];
    s->n_work = n_work;
    s->n_tail = n_tail;
    return n_rows;
}
