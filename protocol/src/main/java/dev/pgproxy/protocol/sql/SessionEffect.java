package dev.pgproxy.protocol.sql;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a statement does to its session if it succeeds. Identifiers are folded, unescaped and truncated as PostgreSQL
 * does it. A {@code text} is the whole statement as it was written, without semicolon, and can be sent again. Strings
 * are UTF-8 readings of the bytes that give the same bytes back; where that is impossible there is no effect but
 * {@link StatementFlags#OPAQUE}. Immutable.
 */
public sealed interface SessionEffect {
    /** An isolation level, in PostgreSQL's words. */
    enum Isolation {
        READ_UNCOMMITTED,
        READ_COMMITTED,
        REPEATABLE_READ,
        SERIALIZABLE
    }

    /** SET of one parameter; {@code SET LOCAL … TO DEFAULT} too. The name is in lower case. */
    record SetParameter(String name, String text, boolean local) implements SessionEffect {}

    /** SET SESSION CHARACTERISTICS AS TRANSACTION: default_transaction_isolation, _read_only, _deferrable. */
    record SetCharacteristics(String text) implements SessionEffect {}

    /** SET TRANSACTION, for the current transaction only; what it does not name is null. */
    record SetTransaction(
            String text,
            @Nullable Boolean readOnly,
            @Nullable Isolation isolation) implements SessionEffect {}

    /** SET ROLE, ROLE NONE included, in any spelling that is not DEFAULT. */
    record SetRole(String text, boolean local) implements SessionEffect {}

    /** RESET ROLE, or SET role TO DEFAULT. */
    record ResetRole() implements SessionEffect {}

    /** SET SESSION AUTHORIZATION, in any spelling that is not DEFAULT. */
    record SetSessionAuthorization(String text, boolean local) implements SessionEffect {}

    /** RESET SESSION AUTHORIZATION, or SET SESSION AUTHORIZATION DEFAULT. */
    record ResetSessionAuthorization() implements SessionEffect {}

    /** SET seed: the next values of random() depend on it. */
    record SetSeed() implements SessionEffect {}

    /** RESET, or SET … TO DEFAULT without LOCAL. */
    record ResetParameter(String name) implements SessionEffect {}

    /** RESET ALL; keeps role and session authorization. */
    record ResetAll() implements SessionEffect {}

    /** DISCARD ALL. */
    record DiscardAll() implements SessionEffect {}

    /** DISCARD TEMP. */
    record DiscardTemp() implements SessionEffect {}

    /** DISCARD PLANS. */
    record DiscardPlans() implements SessionEffect {}

    /** DISCARD SEQUENCES. */
    record DiscardSequences() implements SessionEffect {}

    /**
     * BEGIN or START TRANSACTION; what it does not name is null.
     *
     * @param tag of its CommandComplete
     */
    record Begin(
            @Nullable Boolean readOnly,
            @Nullable Isolation isolation,
            @Nullable Boolean deferrable,
            String tag) implements SessionEffect {
        static final Begin PLAIN = new Begin(null, null, null, "BEGIN");

        /** SQL that begins such a transaction. */
        public String sql() {
            StringBuilder sql = new StringBuilder("BEGIN");
            if (isolation != null) {
                sql.append(" ISOLATION LEVEL ").append(isolation.name().replace('_', ' '));
            }
            if (readOnly != null) {
                sql.append(readOnly ? " READ ONLY" : " READ WRITE");
            }
            if (deferrable != null) {
                sql.append(deferrable ? " DEFERRABLE" : " NOT DEFERRABLE");
            }
            return sql.toString();
        }
    }

    /** COMMIT or END. */
    record Commit(boolean chain) implements SessionEffect {
        static final Commit PLAIN = new Commit(false);
    }

    /** ROLLBACK or ABORT of the whole transaction. */
    record Rollback(boolean chain) implements SessionEffect {
        static final Rollback PLAIN = new Rollback(false);
    }

    /** SAVEPOINT. */
    record Savepoint(String name) implements SessionEffect {}

    /** ROLLBACK TO. */
    record RollbackTo(String name) implements SessionEffect {}

    /** RELEASE. */
    record Release(String name) implements SessionEffect {}

    /**
     * PREPARE; {@link StatementFacts#bodyStart()} says where the prepared statement begins.
     *
     * @param text the whole PREPARE
     * @param bodyFlags {@link StatementFlags} of the statement inside: what EXECUTE may do
     */
    record Prepare(String name, String text, int bodyFlags) implements SessionEffect {}

    /** EXECUTE, also inside EXPLAIN or CREATE TABLE … AS. */
    record Execute(String name) implements SessionEffect {}

    /** DEALLOCATE; null means ALL. */
    record Deallocate(@Nullable String name) implements SessionEffect {}

    /** LISTEN. */
    record Listen(String channel) implements SessionEffect {}

    /** UNLISTEN; null means all channels. */
    record Unlisten(@Nullable String channel) implements SessionEffect {}

    /** NOTIFY. */
    record Notify(String channel) implements SessionEffect {}

    /** DECLARE … CURSOR. */
    record DeclareCursor(String name, boolean hold) implements SessionEffect {}

    /** CLOSE; null means ALL. */
    record CloseCursor(@Nullable String name) implements SessionEffect {}

    /** CREATE TEMPORARY TABLE, VIEW or SEQUENCE; the name without schema. */
    record CreateTemp(String name) implements SessionEffect {}

    /** LOAD of a library. */
    record Load() implements SessionEffect {}

    /** PREPARE TRANSACTION: the session is out of the transaction, as after COMMIT. */
    record PrepareTransaction(String gid) implements SessionEffect {}

    /**
     * {@code SELECT set_config(…), …} without FROM or any other clause: each call happens once, in this order. A
     * set_config anywhere else is only flagged {@link StatementFlags#UNPREDICTABLE_STATE}, and so is a call with an
     * argument that is {@link Argument.Unknown}.
     */
    record SetConfig(List<Call> calls) implements SessionEffect {
        public SetConfig {
            calls = List.copyOf(calls);
        }

        /** One call of set_config. */
        public record Call(Argument name, Argument value, Argument isLocal) {}

        /** An argument of set_config as far as the text shows it. */
        public sealed interface Argument {
            /** A string literal, decoded. */
            record Text(String text) implements Argument {}

            /** A boolean literal in any spelling. */
            record Flag(boolean value) implements Argument {}

            /** {@code $n}: its value comes with Bind. */
            record Parameter(int number) implements Argument {}

            /** NULL: as value it resets the parameter, as isLocal it means false, as name it is an error. */
            record Null() implements Argument {}

            /** Anything else. */
            record Unknown() implements Argument {}
        }
    }
}
