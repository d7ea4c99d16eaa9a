package dev.pgproxy.protocol.sql;

/**
 * Names of parameters that users make up ({@code app.tenant}) in calls of current_setting. Finds too little rather than
 * too much. Stateless.
 */
public final class SettingName {
    private static final String FUNCTION = "current_setting";

    private SettingName() {}

    /**
     * Whether a string constant, as it is written, is the first thing behind {@code current_setting(} and begins with the
     * plain name of such a parameter. Whether the constant is the argument, and which function that is, is not looked at.
     */
    public static boolean isIn(byte[] text, int from, int to) {
        int at = behindSpace(text, from);
        if (at < 1 || text[at - 1] != '(') {
            return false;
        }
        at = behindSpace(text, at - 1) - FUNCTION.length();
        if (at < 0) {
            return false;
        }
        for (int i = 0; i < FUNCTION.length(); i++) {
            byte b = text[at + i];
            if ((b >= 'A' && b <= 'Z' ? b | 0x20 : b) != FUNCTION.charAt(i)) {
                return false;
            }
        }
        return isPlainWithDot(text, from, to);
    }

    /** Where the white space before a place begins. */
    private static int behindSpace(byte[] text, int place) {
        int at = place;
        while (at > 0 && " \t\r\n".indexOf(text[at - 1]) >= 0) {
            at--;
        }
        return at;
    }

    private static boolean isPlainWithDot(byte[] text, int from, int to) {
        boolean dot = false;
        for (int i = from + 1; i < to - 1; i++) {
            byte b = text[i];
            int small = b | 0x20;
            if (b != '.' && b != '_' && !(small >= 'a' && small <= 'z') && !(b >= '0' && b <= '9')) {
                return false;
            }
            dot |= b == '.';
        }
        return dot && text[from] == '\'' && text[to - 1] == '\'';
    }
}
