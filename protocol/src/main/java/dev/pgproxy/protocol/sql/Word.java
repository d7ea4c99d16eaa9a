package dev.pgproxy.protocol.sql;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The keywords and names that the analysis tells apart, and one constant per category for all other keywords.
 * Immutable.
 */
enum Word {
    /** Not a keyword and not a name with a meaning here. */
    NONE(Category.NAME),
    OTHER_RESERVED(Category.RESERVED),
    OTHER_COLUMN_NAME(Category.COLUMN_NAME),
    OTHER_TYPE_FUNCTION(Category.TYPE_FUNCTION),
    OTHER_UNRESERVED(Category.UNRESERVED),
    SELECT(Category.RESERVED, StatementKind.SELECT),
    INSERT(Category.UNRESERVED, StatementKind.INSERT),
    UPDATE(Category.UNRESERVED, StatementKind.UPDATE),
    DELETE(Category.UNRESERVED, StatementKind.DELETE),
    MERGE(Category.UNRESERVED, StatementKind.MERGE),
    VALUES(Category.COLUMN_NAME, StatementKind.VALUES),
    TABLE(Category.RESERVED, StatementKind.TABLE),
    WITH(Category.RESERVED, StatementKind.WITH),
    COPY(Category.UNRESERVED, StatementKind.COPY_FROM),
    EXPLAIN(Category.UNRESERVED, StatementKind.EXPLAIN),
    SHOW(Category.UNRESERVED, StatementKind.SHOW),
    SET(Category.UNRESERVED, StatementKind.SET),
    RESET(Category.UNRESERVED, StatementKind.RESET),
    BEGIN(Category.UNRESERVED, StatementKind.BEGIN),
    START(Category.UNRESERVED, StatementKind.BEGIN),
    COMMIT(Category.UNRESERVED, StatementKind.COMMIT),
    END(Category.RESERVED, StatementKind.COMMIT),
    ROLLBACK(Category.UNRESERVED, StatementKind.ROLLBACK),
    ABORT(Category.UNRESERVED, StatementKind.ROLLBACK),
    SAVEPOINT(Category.UNRESERVED, StatementKind.SAVEPOINT),
    RELEASE(Category.UNRESERVED, StatementKind.RELEASE),
    PREPARE(Category.UNRESERVED, StatementKind.PREPARE),
    EXECUTE(Category.UNRESERVED, StatementKind.EXECUTE),
    DEALLOCATE(Category.UNRESERVED, StatementKind.DEALLOCATE),
    DECLARE(Category.UNRESERVED, StatementKind.DECLARE),
    FETCH(Category.RESERVED, StatementKind.FETCH),
    MOVE(Category.UNRESERVED, StatementKind.MOVE),
    CLOSE(Category.UNRESERVED, StatementKind.CLOSE),
    LISTEN(Category.UNRESERVED, StatementKind.LISTEN),
    UNLISTEN(Category.UNRESERVED, StatementKind.UNLISTEN),
    NOTIFY(Category.UNRESERVED, StatementKind.NOTIFY),
    DISCARD(Category.UNRESERVED, StatementKind.DISCARD),
    LOAD(Category.UNRESERVED, StatementKind.LOAD),
    LOCK(Category.UNRESERVED, StatementKind.LOCK),
    CALL(Category.UNRESERVED, StatementKind.CALL),
    DO(Category.RESERVED, StatementKind.DO),
    CREATE(Category.RESERVED, StatementKind.CREATE),
    ALTER(Category.UNRESERVED, StatementKind.ALTER),
    DROP(Category.UNRESERVED, StatementKind.DROP),
    TRUNCATE(Category.UNRESERVED, StatementKind.TRUNCATE),
    GRANT(Category.RESERVED, StatementKind.GRANT),
    REVOKE(Category.UNRESERVED, StatementKind.REVOKE),
    VACUUM(Category.UNRESERVED, StatementKind.VACUUM),
    ANALYZE(Category.RESERVED, StatementKind.ANALYZE),
    ANALYSE(Category.RESERVED, StatementKind.ANALYZE),
    CLUSTER(Category.UNRESERVED, StatementKind.CLUSTER),
    REINDEX(Category.UNRESERVED, StatementKind.REINDEX),
    CHECKPOINT(Category.UNRESERVED, StatementKind.CHECKPOINT),
    REFRESH(Category.UNRESERVED, StatementKind.REFRESH),
    COMMENT(Category.UNRESERVED, StatementKind.COMMENT),
    SECURITY(Category.UNRESERVED, StatementKind.SECURITY_LABEL),
    IMPORT(Category.UNRESERVED, StatementKind.IMPORT),
    REASSIGN(Category.UNRESERVED, StatementKind.REASSIGN),
    ALL(Category.RESERVED),
    AND(Category.RESERVED),
    AS(Category.RESERVED),
    ATOMIC(Category.UNRESERVED),
    AUTHORIZATION(Category.TYPE_FUNCTION),
    BINARY(Category.TYPE_FUNCTION),
    BY(Category.UNRESERVED),
    CASCADE(Category.UNRESERVED),
    CASE(Category.RESERVED),
    CATALOG(Category.UNRESERVED),
    CHAIN(Category.UNRESERVED),
    CHARACTERISTICS(Category.UNRESERVED),
    COLLATE(Category.RESERVED),
    COMMITTED(Category.UNRESERVED),
    CONCURRENTLY(Category.TYPE_FUNCTION),
    CONFLICT(Category.UNRESERVED),
    CONSTRAINTS(Category.UNRESERVED),
    CONTENT(Category.UNRESERVED),
    CURRENT(Category.UNRESERVED),
    CURSOR(Category.UNRESERVED),
    DATABASE(Category.UNRESERVED),
    DEFAULT(Category.RESERVED),
    DEFERRABLE(Category.RESERVED),
    DISTINCT(Category.RESERVED),
    DOCUMENT(Category.UNRESERVED),
    ESCAPE(Category.UNRESERVED),
    EXISTS(Category.COLUMN_NAME),
    EXTERNAL(Category.UNRESERVED),
    FALSE(Category.RESERVED),
    FILTER(Category.UNRESERVED),
    FOR(Category.RESERVED),
    FOREIGN(Category.RESERVED),
    FROM(Category.RESERVED),
    FULL(Category.TYPE_FUNCTION),
    FUNCTION(Category.UNRESERVED),
    GLOBAL(Category.UNRESERVED),
    GROUP(Category.RESERVED),
    GROUPING(Category.COLUMN_NAME),
    HOLD(Category.UNRESERVED),
    ILIKE(Category.TYPE_FUNCTION),
    IF(Category.UNRESERVED),
    INDEX(Category.UNRESERVED),
    INHERITS(Category.UNRESERVED),
    INTO(Category.RESERVED),
    IS(Category.TYPE_FUNCTION),
    ISOLATION(Category.UNRESERVED),
    JOIN(Category.TYPE_FUNCTION),
    KEY(Category.UNRESERVED),
    LEVEL(Category.UNRESERVED),
    LIKE(Category.TYPE_FUNCTION),
    LOCAL(Category.UNRESERVED),
    MATERIALIZED(Category.UNRESERVED),
    NAMES(Category.UNRESERVED),
    NATURAL(Category.TYPE_FUNCTION),
    NEXT(Category.UNRESERVED),
    NO(Category.UNRESERVED),
    NOT(Category.RESERVED),
    NULL(Category.RESERVED),
    OF(Category.UNRESERVED),
    ON(Category.RESERVED),
    ONLY(Category.RESERVED),
    OPERATOR(Category.UNRESERVED),
    OPTION(Category.UNRESERVED),
    OR(Category.RESERVED),
    ORDER(Category.RESERVED),
    OVER(Category.UNRESERVED),
    OVERLAPS(Category.TYPE_FUNCTION),
    OWNED(Category.UNRESERVED),
    PARTITION(Category.UNRESERVED),
    PLANS(Category.UNRESERVED),
    PREPARED(Category.UNRESERVED),
    PRIMARY(Category.RESERVED),
    PROCEDURE(Category.UNRESERVED),
    READ(Category.UNRESERVED),
    RECURSIVE(Category.UNRESERVED),
    REFERENCES(Category.RESERVED),
    REPEATABLE(Category.UNRESERVED),
    REPLACE(Category.UNRESERVED),
    ROLE(Category.UNRESERVED),
    SCHEMA(Category.UNRESERVED),
    SEQUENCE(Category.UNRESERVED),
    SEQUENCES(Category.UNRESERVED),
    SERIALIZABLE(Category.UNRESERVED),
    SESSION(Category.UNRESERVED),
    SETS(Category.UNRESERVED),
    SHARE(Category.UNRESERVED),
    SNAPSHOT(Category.UNRESERVED),
    SUBSCRIPTION(Category.UNRESERVED),
    SYSTEM(Category.UNRESERVED),
    TABLESPACE(Category.UNRESERVED),
    TEMP(Category.UNRESERVED),
    TEMPORARY(Category.UNRESERVED),
    THEN(Category.RESERVED),
    TIME(Category.COLUMN_NAME),
    TO(Category.RESERVED),
    TRANSACTION(Category.UNRESERVED),
    TRUE(Category.RESERVED),
    TYPE(Category.UNRESERVED),
    UESCAPE(Category.UNRESERVED),
    UNCOMMITTED(Category.UNRESERVED),
    UNIQUE(Category.RESERVED),
    UNLOGGED(Category.UNRESERVED),
    USING(Category.RESERVED),
    VARYING(Category.UNRESERVED),
    VERBOSE(Category.TYPE_FUNCTION),
    VIEW(Category.UNRESERVED),
    WHERE(Category.RESERVED),
    WITHOUT(Category.UNRESERVED),
    WORK(Category.UNRESERVED),
    WRITE(Category.UNRESERVED),
    ZONE(Category.UNRESERVED),
    PG_CATALOG(Category.NAME),
    PG_TEMP(Category.NAME),
    PG_SETTINGS(Category.NAME),
    PG_PREPARED_STATEMENTS(Category.NAME),
    PG_PREPARED_STATEMENT(Category.NAME),
    PG_LISTENING_CHANNELS(Category.NAME),
    SET_CONFIG(Category.NAME),
    SEED(Category.NAME),
    SESSION_AUTHORIZATION(Category.NAME),
    XML(Category.UNRESERVED);

    /** What the grammar lets a word be, as in the manual's appendix C. */
    enum Category {
        NAME,
        /** May be any name. */
        UNRESERVED,
        /** May be the name of a column or table, not of a function. */
        COLUMN_NAME,
        /** May be the name of a function or type. */
        TYPE_FUNCTION,
        RESERVED
    }

    /** Whether the parenthesis behind it cannot be the arguments of a user's function. */
    final boolean neverFunction;

    final boolean keyword;
    /** Whether the constant stands for many words. */
    final boolean group;
    /** The statement that begins with this word, if one does. */
    final @Nullable StatementKind starts;

    Word(Category category) {
        this(category, null);
    }

    Word(Category category, @Nullable StatementKind starts) {
        this.neverFunction = category == Category.RESERVED || category == Category.COLUMN_NAME;
        this.keyword = category != Category.NAME;
        this.starts = starts;
        this.group = name().equals("NONE") || name().startsWith("OTHER_");
    }

    /** The word as the table of words has it. */
    String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
