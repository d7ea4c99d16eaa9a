package dev.pgproxy.cache.redis;

/**
 * How a doubt has ended. Immutable. In messages: {@code owner:number:ending:database:tables}.
 *
 * @param doubt which one; one that nobody has heard of is a write without a doubt before it
 */
record Settlement(Doubt.Id doubt, Ending ending, String database, TableSet tables) {

    String text() {
        return doubt.text() + ":" + ending.text() + ":" + Doubt.encoded(database) + ":" + tables.text();
    }

    static Settlement parse(String text) {
        String[] parts = text.split(":", -1);
        return new Settlement(
                new Doubt.Id(parts[0], Long.parseLong(parts[1])),
                Ending.parse(parts[2]),
                Doubt.decoded(parts[3]),
                TableSet.parse(parts[4]));
    }
}
