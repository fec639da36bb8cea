"""The database's views: a question each, in plain words, for whoever opens the file with a stock tool.

Names carry their unit. A view must never be what the instrument itself relies on.
"""

import json

ALARMS = """
        select o.run_id, json_extract(o.data_json, '$.alarm') as alarm, json_extract(o.data_json, '$.why') as why,
               o.wall_utc as opened_utc, o.elapsed_s as opened_s, a.elapsed_s as acknowledged_s,
               a.who as acknowledged_by, c.elapsed_s as closed_s, a.elapsed_s - o.elapsed_s as acknowledged_after_s,
               c.elapsed_s - o.elapsed_s as closed_after_s
        from (select *, lead(event, 1, 1 << 62) over (
                  partition by run_id, json_extract(data_json, '$.alarm') order by event) as next_event
              from events where kind = 'alarm_opened') as o
        left join events as a on a.run_id = o.run_id and a.event = (
            select min(event) from events where run_id = o.run_id and kind = 'alarm_acknowledged'
            and json_extract(data_json, '$.alarm') = json_extract(o.data_json, '$.alarm')
            and event > o.event and event < o.next_event)
        left join events as c on c.run_id = o.run_id and c.event = (
            select min(event) from events where run_id = o.run_id and kind = 'alarm_closed'
            and json_extract(data_json, '$.alarm') = json_extract(o.data_json, '$.alarm')
            and event > o.event and event < o.next_event)
        order by o.run_id, o.event"""
"""Each opening with the acknowledgement and the closing that came before the same alarm opened again."""

_UNITS = {
    "_code": "codes of the converter",
    "_g_per_h": "g/h",
    "_pct_per_h": "% per hour",
    "_pct": "% of the mass that the loss is of; of humidity, %RH",
    "_g": "g",
    "_c": "°C",
    "_pa": "Pa",
    "_unix_s": "s since 1970-01-01 UTC, by the wall clock at the run's start",
    "_utc": "ISO 8601 in UTC, by the wall clock: a label",
    "_ms": "ms since 1970-01-01 UTC",
    "_ns": "ns of the machine's clock since its boot",
    "_s": "s since the run's start; of a length, s",
    "_h": "h",
    "_toml": "TOML",
    "_json": "JSON",
    "sha256": "SHA-256, hex or 32 bytes",
    "second": "number of the second since the run's start",
    "qualified": "1: the second counts for the hold",
}
"""What a column's name ends with, and its unit; the first that fits."""

_UNITS_JSON = json.dumps(_UNITS, ensure_ascii=False).replace("'", "''")
UNITS = f"select key as a_name_that_ends_with, value as is_in from json_each('{_UNITS_JSON}')"

VIEWS = {
    "which_samples_met_the_criterion": """
        select run_id, sample_id, kind, verdict, round(loss_pct, 4) as loss_pct,
               round(expanded_uncertainty_pct, 4) as plus_minus_pct, limit_pct,
               round(conformance_probability, 4) as conformance_probability,
               invalid_because, standard_id, started_utc
        from runs order by run_id""",
    "what_happened_when": """
        select run_id, event, round(elapsed_s / 3600.0, 4) as elapsed_h, kind, who,
               coalesce(json_extract(data_json, '$.to'), json_extract(data_json, '$.which'),
                        json_extract(data_json, '$.word'), '') as what,
               coalesce(json_extract(data_json, '$.why'), '') as why, data_json
        from events order by run_id, elapsed_s, event""",
    "how_long_was_each_phase": """
        select run_id, phase, min(elapsed_s) as from_s, max(elapsed_s) as to_s, count(*) as seconds,
               round(min(temp_c), 2) as coldest_c, round(max(temp_c), 2) as hottest_c
        from seconds group by run_id, phase order by run_id, from_s""",
    "how_did_mass_and_temperature_go_by_minute": """
        select run_id, second / 60 as minute, phase, avg(mass_g) as mass_g, avg(temp_c) as temp_c,
               avg(cell_temp_c) as cell_temp_c, max(hold_s) as hold_s, avg(loss_pct) as loss_pct
        from seconds group by run_id, second / 60, phase order by run_id, minute""",
    "how_much_was_lost_in_each_hour_of_the_hold": """
        with good as (
            select run_id, cast(hold_s / 3600 as integer) + 1 as hour, hold_s, temp_c, loss_pct, samples_ok as n
            from seconds where phase = 'hold' and qualified = 1 and samples_ok > 0 and loss_pct is not null),
        ends as (
            select run_id, hour, min(hold_s) as from_s, max(hold_s) as to_s,
                   min(300.0, (max(hold_s) - min(hold_s)) / 2) as window_s
            from good group by run_id, hour),
        marked as (
            select good.*, iif(hold_s <= from_s + window_s, n, 0) as n_first,
                   iif(hold_s >= to_s - window_s, n, 0) as n_last
            from good join ends using (run_id, hour)),
        means as (
            select run_id, hour, sum(n * temp_c) / sum(n) as temp_c, count(*) as seconds,
                   sum(n_first * loss_pct) / sum(n_first) as loss_at_first_pct,
                   sum(n_last * loss_pct) / sum(n_last) as loss_at_last_pct,
                   sum(n_last * hold_s) / sum(n_last) - sum(n_first * hold_s) / sum(n_first) as apart_s
            from marked group by run_id, hour)
        select run_id, hour, temp_c, loss_at_first_pct, loss_at_last_pct,
               (loss_at_last_pct - loss_at_first_pct) / nullif(apart_s, 0) * 3600 as lost_pct_per_h, seconds
        from means order by run_id, hour""",
    "how_did_each_second_go": """
        select run_id, sample_id, strftime('%Y-%m-%dT%H:%M:%fZ', strftime('%s', started_utc) + elapsed_s, 'unixepoch')
                   as wall_utc,
               strftime('%s', started_utc) + elapsed_s as wall_unix_s, second, elapsed_s, phase, mass_g, sd_g, temp_c,
               cell_temp_c, pressure_pa, qualified, s.hold_s, s.loss_pct,
               iif(json_extract(settings_json, '$.plan.weigh') = 'hot', 'mass at the start of the hold, or as recorded',
                   'M1') as loss_is_in_pct_of,
               drift_g_per_h, samples_ok, samples_bad, samples_spike, bad_because
        from seconds as s join runs using (run_id) order by run_id, second""",
    "units": UNITS,
    "what_interrupted_the_hold": """
        select run_id, json_extract(data_json, '$.from_s') as from_s, json_extract(data_json, '$.to_s') as to_s,
               json_extract(data_json, '$.to_s') - json_extract(data_json, '$.from_s') as length_s,
               json_extract(data_json, '$.why') as why, json_extract(data_json, '$.worst_temp_c') as worst_temp_c
        from events where kind = 'excursion' order by run_id, from_s""",
    "which_samples_were_not_numbers": """
        select run_id, second, elapsed_s, phase, samples_ok, samples_bad, samples_spike, bad_because
        from seconds where samples_bad > 0 or samples_spike > 0 order by run_id, second""",
    "which_alarms_were_there": ALARMS,
    "how_fast_were_alarms_acknowledged": """
        select run_id, alarm, count(*) as opened, count(acknowledged_s) as acknowledged, count(closed_s) as closed,
               round(100.0 * count(acknowledged_s) / count(*), 1) as acknowledged_pct,
               round(100.0 * count(closed_s) / count(*), 1) as closed_pct,
               avg(acknowledged_after_s) as mean_acknowledged_after_s,
               max(acknowledged_after_s) as longest_acknowledged_after_s
        from which_alarms_were_there group by run_id, alarm order by run_id, alarm""",
    "what_happened_when_no_run_was_on": """
        select event, wall_utc, uptime_s, kind, who, coalesce(json_extract(data_json, '$.alarm'), '') as what,
               coalesce(json_extract(data_json, '$.why'), '') as why, data_json
        from station_events order by event""",
    "what_was_corrected": """
        select run_id, event, wall_utc, who, json_extract(data_json, '$.field') as what,
               json_extract(data_json, '$.was') as was, json_extract(data_json, '$.now') as now_is,
               json_extract(data_json, '$.reason') as why
        from events where kind = 'corrected' order by run_id, event""",
    "what_follows_what_in_the_chain": """
        select run_id, 0 as link, 'header' as what, run_id as number, lower(hex(header_sha256)) as sha256 from runs
        where header_sha256 is not null
        union all select run_id, link, 'chunk', chunk, lower(hex(sha256)) from chunks where link is not null
        union all select run_id, link, kind, event, sha256 from events where link is not null
        order by run_id, link""",
    "what_is_in_each_chunk": """
        select run_id, chunk, boot_id, first_second, seconds, samples, length(raw) as bytes,
               strftime('%Y-%m-%dT%H:%M:%f+00:00', wall_ms / 1000.0, 'unixepoch') as wall_utc,
               lower(hex(sha256)) as sha256
        from chunks left join boots using (boot) order by run_id, chunk""",
}
