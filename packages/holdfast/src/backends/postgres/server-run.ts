/**
 * The time from which the server counts, which a crash begins anew, and which another server does not share. An id that was given in one run
 * may be given again in the next, where the log did not reach the disk.
 */
export const SERVER_RUN = '(select extract(epoch from stats_reset)::text from pg_stat_bgwriter)'
