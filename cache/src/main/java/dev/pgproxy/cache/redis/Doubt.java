package dev.pgproxy.cache.redis;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * A message that can commit has been sent, or is about to be, and its outcome is not known. Immutable.
 *
 * <p>In messages: {@code owner:number:database:tables:pid:start}, the database in URL-safe Base64, tables as in {@link
 * TableSet#text}.
 *
 * @param owner the instance that sends it
 * @param number unique within the owner
 * @param database as all instances call it
 * @param tables what may be written
 * @param backendPid process id of the backend; 0 if not known
 * @param backendStart when the backend started, in microseconds since 1970 as pg_stat_activity has it; 0 if not known
 */
record Doubt(String owner, long number, String database, TableSet tables, int backendPid, long backendStart) {

    /** What one doubt is called by. */
    record Id(String owner, long number) {
        static Id parse(String text) {
            String[] parts = text.split(":", -1);
            return new Id(parts[0], Long.parseLong(parts[1]));
        }

        String text() {
            return owner + ":" + number;
        }
    }

    Id id() {
        return new Id(owner, number);
    }

    String text() {
        return owner + ":" + number + ":" + encoded(database) + ":" + tables.text() + ":" + backendPid + ":"
                + backendStart;
    }

    static Doubt parse(String text) {
        String[] parts = text.split(":", -1);
        return new Doubt(
                parts[0],
                Long.parseLong(parts[1]),
                decoded(parts[2]),
                TableSet.parse(parts[3]),
                Integer.parseInt(parts[4]),
                Long.parseLong(parts[5]));
    }

    static String encoded(String database) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(database.getBytes(StandardCharsets.UTF_8));
    }

    static String decoded(String text) {
        return new String(Base64.getUrlDecoder().decode(text), StandardCharsets.UTF_8);
    }
}
