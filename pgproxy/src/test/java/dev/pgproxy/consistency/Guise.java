package dev.pgproxy.consistency;

import java.util.List;

/** What a session has set for all its life, and its answers must be of: the format, the schema, the rights. Immutable. */
@SuppressWarnings("ImmutableEnumChecker") // the list is of List.of
enum Guise {
    USUAL(List.of(), "2024-03-05", "public", "consistency_alice+consistency_bob"),

    /** Another format. */
    GERMAN(List.of("SET DateStyle = 'German'"), "05.03.2024", "public", "consistency_alice+consistency_bob"),

    /** Other tables of the same names. */
    ELSEWHERE(
            List.of("SET search_path = elsewhere, public"),
            "2024-03-05",
            "elsewhere",
            "consistency_alice+consistency_bob"),

    /** Row security shows it its own rows. */
    ALICE(List.of("SET ROLE consistency_alice"), "2024-03-05", "public", "consistency_alice"),
    BOB(List.of("SET ROLE consistency_bob"), "2024-03-05", "public", "consistency_bob");

    /** The roles, which own everything as the superuser does, and are none. */
    static final List<String> ROLES = List.of("consistency_alice", "consistency_bob");

    final List<String> settings;
    private final String date;
    private final String schema;
    private final String owners;

    Guise(List<String> settings, String date, String schema, String owners) {
        this.settings = settings;
        this.date = date;
        this.schema = schema;
        this.owners = owners;
    }

    /** Those of sessions that speak the protocol themselves; a driver does not take every format. */
    static Guise of(int session) {
        int place = session / 2 % (values().length + 1);
        return session % 2 == 1 || place == 0 ? USUAL : values()[place - 1];
    }

    /** Whether it may end a prepared transaction that another role has begun. */
    boolean endsForOthers() {
        return this != ALICE && this != BOB;
    }

    /** What stands beside the versions in the rows of a family; empty where only versions do. */
    String mark(Family family) {
        return switch (family) {
            case DATED -> date;
            case PATHED -> schema;
            case OWNED -> owners;
            default -> "";
        };
    }
}
