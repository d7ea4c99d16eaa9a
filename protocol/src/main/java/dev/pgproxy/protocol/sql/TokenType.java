package dev.pgproxy.protocol.sql;

/**
 * The types of {@link SqlScanner}'s tokens as int constants, so that the scanner's caller can switch on them without
 * an object. Characters that are tokens by themselves, {@code ( ) [ ] , ; . :}, have their ASCII code as type.
 * Immutable.
 */
public final class TokenType {
    /** The end of the text. */
    public static final int END = 0;
    /** Keyword or identifier without quotes. */
    public static final int WORD = 1;
    /** {@code "identifier"} or {@code U&"identifier"}. */
    public static final int QUOTED = 2;
    /** {@code 'text'}, {@code E''}, {@code U&''}, {@code N''} or dollar-quoted, with its continuations. */
    public static final int STRING = 3;
    /** {@code B'01'} or {@code X'0f'}. */
    public static final int BIT_STRING = 4;
    /** Integer or numeric constant, without sign. */
    public static final int NUMBER = 5;
    /** {@code $1}. */
    public static final int PARAMETER = 6;
    /** Operator of one or more characters, {@code = < > + - * / % ^} included. */
    public static final int OPERATOR = 7;
    /** {@code ::}. */
    public static final int TYPE_CAST = 8;
    /** {@code :=}. */
    public static final int COLON_EQUALS = 9;
    /** {@code =>}. */
    public static final int EQUALS_GREATER = 10;
    /** {@code ..}. */
    public static final int DOT_DOT = 11;
    /** A byte that starts no token: PostgreSQL will answer with a syntax error. */
    public static final int OTHER = 12;

    private TokenType() {}
}
