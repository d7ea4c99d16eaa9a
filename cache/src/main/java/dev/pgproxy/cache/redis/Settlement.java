package dev.pgproxy.cache.redis;

/**
 * How a doubt has ended. Immutable. In messages: {@code owner:number:written:database:tables}, written being 1 or 0.
 *
 * @param doubt which one; one that nobody has heard of is a write without a doubt before it
 * @param written whether the tables may have been written
 */
record Settlement(Doubt.Id doubt, boolean written, String database, TableSet tables) {

    String text() {
        return doubt.text() + ":" + (written ? 1 : 0) + ":" + Doubt.encoded(database) + ":" + tables.text();
    }

    static Settlement parse(String text) {
        String[] parts = text.split(":", -1);
        return new Settlement(
                new Doubt.Id(parts[0], Long.parseLong(parts[1])),
                parts[2].equals("1"),
                Doubt.decoded(parts[3]),
                TableSet.parse(parts[4]));
    }
}
