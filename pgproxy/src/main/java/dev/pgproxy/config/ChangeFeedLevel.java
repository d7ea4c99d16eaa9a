package dev.pgproxy.config;

import java.util.Locale;

/** How writes that do not pass through here are to become known. Immutable. */
public enum ChangeFeedLevel {
    /** By a logical replication slot, and by NOTIFY what that does not tell. */
    LOGICAL,
    /** By NOTIFY alone. */
    NOTIFY,
    /** Not at all. */
    OFF;

    /** As a setting; what it was as a flag is understood. */
    static SettingType<ChangeFeedLevel> type() {
        return SettingTypes.of(
                "one of logical, notify, off",
                text -> switch (text.toLowerCase(Locale.ROOT)) {
                    case "logical", "true", "on", "yes", "1" -> LOGICAL;
                    case "notify" -> NOTIFY;
                    case "off", "false", "no", "0" -> OFF;
                    default -> throw new IllegalArgumentException();
                },
                ChangeFeedLevel::toString);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
