package dev.pgproxy.protocol.sql;

/**
 * What a statement is, from its first words. Spellings with one meaning have one kind: ABORT is {@link #ROLLBACK}, END
 * is {@link #COMMIT}, START TRANSACTION is {@link #BEGIN}. A WITH statement has the kind of its main verb; the kind
 * WITH remains only where none was found. Immutable.
 */
public enum StatementKind {
    SELECT,
    INSERT,
    UPDATE,
    DELETE,
    MERGE,
    VALUES,
    TABLE,
    WITH,
    /** COPY … TO, of a table or of a query. */
    COPY_TO,
    COPY_FROM,
    EXPLAIN,
    SHOW,
    SET,
    /** SET CONSTRAINTS, which lasts for the transaction only. */
    SET_CONSTRAINTS,
    RESET,
    BEGIN,
    COMMIT,
    ROLLBACK,
    SAVEPOINT,
    RELEASE,
    ROLLBACK_TO,
    PREPARE_TRANSACTION,
    COMMIT_PREPARED,
    ROLLBACK_PREPARED,
    PREPARE,
    EXECUTE,
    DEALLOCATE,
    DECLARE,
    FETCH,
    MOVE,
    CLOSE,
    LISTEN,
    UNLISTEN,
    NOTIFY,
    DISCARD,
    LOAD,
    LOCK,
    CALL,
    DO,
    CREATE,
    ALTER,
    DROP,
    TRUNCATE,
    GRANT,
    REVOKE,
    VACUUM,
    ANALYZE,
    CLUSTER,
    REINDEX,
    CHECKPOINT,
    REFRESH,
    COMMENT,
    SECURITY_LABEL,
    IMPORT,
    REASSIGN,
    /** A text without any statement; only {@link QueryFacts#kind()} says so. */
    EMPTY,
    /** A text of several statements; only {@link QueryFacts#kind()} says so. */
    MULTIPLE,
    /** Not known: PostgreSQL will refuse it, or it is newer than this list. */
    OTHER
}
