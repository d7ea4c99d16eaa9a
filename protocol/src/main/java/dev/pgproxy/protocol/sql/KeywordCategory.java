package dev.pgproxy.protocol.sql;

/** What PostgreSQL's grammar lets an unquoted word be (manual, appendix C, SQL Key Words). Immutable. */
public enum KeywordCategory {
    /** No keyword. */
    NAME,
    /** May be any name. */
    UNRESERVED,
    /** May be the name of a column or table, not of a function. */
    COLUMN_NAME,
    /** May be the name of a function or type, not of a column or table. */
    TYPE_FUNCTION,
    /** May be a name only as a label, or behind a dot. */
    RESERVED;

    /** The category of the unquoted word between the offsets, in whatever case. */
    public static KeywordCategory of(byte[] text, int from, int to) {
        return Words.of(WordHash.of(text, from, to, true), text, from, to).category;
    }
}
