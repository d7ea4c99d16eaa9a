package dev.pgproxy.rules;

/**
 * A text of which so many characters may be looked at: an expression that goes back and forth in it without end is stopped.
 * For one match.
 */
final class BoundedText implements CharSequence {
    private static final long LEAST = 1_000_000;
    private static final int TIMES = 20;

    /** The match has taken too long. */
    static final class Exhausted extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Exhausted() {
            super("too many steps", null, false, false);
        }
    }

    private final String text;
    private long left;

    BoundedText(String text) {
        this.text = text;
        this.left = LEAST + (long) TIMES * text.length();
    }

    @Override
    public int length() {
        return text.length();
    }

    @Override
    public char charAt(int index) {
        if (--left < 0) {
            throw new Exhausted();
        }
        return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
        return text.substring(start, end);
    }

    @Override
    public String toString() {
        return text;
    }
}
