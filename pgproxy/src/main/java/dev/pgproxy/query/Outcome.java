package dev.pgproxy.query;

import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.SessionEffect.SetConfig.Argument;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.PinReason;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import java.util.Locale;

/**
 * What a completed statement changes: in the session, as the client believes it, and on the server, as it is. Stateless.
 */
final class Outcome {
    private static final String[] CHARACTERISTICS = {
        "default_transaction_isolation", "default_transaction_read_only", "default_transaction_deferrable"
    };

    private static final String DATE_STYLE = "datestyle";

    private Outcome() {}

    /** The statement has completed with this tag. */
    static void apply(StatementFacts statement, String tag, Session session, ServerConnection server) {
        if (statement.has(StatementFlags.UNPREDICTABLE_STATE)) {
            session.pin(PinReason.UNPREDICTABLE_STATE, tag);
        }
        SessionEffect effect = statement.effect();
        if (effect != null) {
            apply(effect, tag, session, server);
        }
    }

    private static void apply(SessionEffect effect, String tag, Session session, ServerConnection server) {
        switch (effect) {
            case SessionEffect.SetParameter set -> setParameter(set, session, server);
            case SessionEffect.ResetParameter reset -> {
                heardOf(reset.name(), session, server);
                reset(reset.name(), session, server);
            }
            case SessionEffect.SetRole role -> {
                if (!role.local()) {
                    set(Settings.ROLE, role.text(), session, server);
                }
            }
            case SessionEffect.ResetRole reset -> reset(Settings.ROLE, session, server);
            case SessionEffect.SetSessionAuthorization authorization -> {
                if (!authorization.local()) {
                    reset(Settings.ROLE, session, server);
                    set(Settings.SESSION_AUTHORIZATION, authorization.text(), session, server);
                }
            }
            case SessionEffect.ResetSessionAuthorization reset -> {
                reset(Settings.ROLE, session, server);
                reset(Settings.SESSION_AUTHORIZATION, session, server);
            }
            case SessionEffect.SetCharacteristics characteristics ->
                characteristics(characteristics.text(), session, server);
            case SessionEffect.ResetAll reset -> resetAll(session, server);
            case SessionEffect.DiscardAll discard -> discardAll(session, server);
            case SessionEffect.SetConfig config -> setConfig(config, session, server);
            case SessionEffect.Commit commit -> end(tag.equals("COMMIT"), session, server);
            case SessionEffect.PrepareTransaction prepare -> end(tag.equals("PREPARE TRANSACTION"), session, server);
            case SessionEffect.Rollback rollback -> end(false, session, server);
            case SessionEffect.Savepoint savepoint -> {
                session.settings().savepoint(savepoint.name());
                session.channels().savepoint(savepoint.name());
                server.settings().savepoint(savepoint.name());
            }
            case SessionEffect.RollbackTo back -> {
                session.settings().rollbackTo(back.name());
                session.channels().rollbackTo(back.name());
                server.settings().rollbackTo(back.name());
            }
            case SessionEffect.Release release -> {
                session.settings().release(release.name());
                session.channels().release(release.name());
                server.settings().release(release.name());
            }
            case SessionEffect.Prepare prepare -> {
                session.sqlStatements().put(prepare.name(), prepare);
                server.statements().own().put(prepare.name(), prepare);
            }
            case SessionEffect.Deallocate deallocate -> deallocate(deallocate, session, server);
            case SessionEffect.DiscardSequences discard -> discardSequences(session, server);
            case SessionEffect.Listen listen -> listenedItself(listen.channel(), session);
            case SessionEffect.Unlisten unlisten -> session.unlisten(unlisten.channel());
            case SessionEffect.SetSeed seed -> session.pin(PinReason.UNPREDICTABLE_STATE, "SET seed");
            default -> {}
        }
    }

    /** A statement of ours went in place of the client's; only the session changes. */
    static void applySubstituted(StatementFacts statement, Session session) {
        SessionEffect effect = statement.effect();
        if (effect == null) {
            return;
        }
        switch (effect) {
            case SessionEffect.Listen listen -> session.listen(listen.channel());
            case SessionEffect.Unlisten unlisten -> session.unlisten(unlisten.channel());
            case SessionEffect.DiscardAll discard -> session.discardAll();
            case SessionEffect.Deallocate deallocate -> {
                if (deallocate.name() == null) {
                    session.statements().clear();
                    session.sqlStatements().clear();
                } else {
                    session.statements().remove(deallocate.name());
                    session.sqlStatements().remove(deallocate.name());
                }
            }
            default -> {}
        }
    }

    /** The transaction has ended, and with it everything that belonged to it. */
    static void end(boolean committed, Session session, ServerConnection server) {
        if (committed) {
            session.settings().commit();
            session.channels().commit();
            server.settings().commit();
        } else {
            session.settings().rollback();
            session.channels().rollback();
            server.settings().rollback();
        }
    }

    /** ReadyForQuery outside a transaction: what it was told by then is what lasts. */
    static void idle(boolean committed, Session session, ServerConnection server) {
        end(committed, session, server);
        Settings settings = session.settings().get();
        String sql = settings.get(DATE_STYLE);
        String reported = session.reported().get("DateStyle");
        if (sql != null && reported != null && !sql.equals(session.base().get(DATE_STYLE))) {
            // SET DateStyle changes a part of the value: only the whole says what it has come to
            String whole = "SET " + DATE_STYLE + " TO " + SqlText.quoteLiteral(reported);
            session.settings().reset(settings.with(DATE_STYLE, whole));
            server.settings().reset(server.settings().get().with(DATE_STYLE, whole));
        }
    }

    private static void setParameter(SessionEffect.SetParameter set, Session session, ServerConnection server) {
        heardOf(set.name(), session, server);
        if (!set.local()) {
            set(set.name(), set.text(), session, server);
        }
    }

    /** A custom parameter that was named once is '' from then on, where it was NULL. */
    private static void heardOf(String name, Session session, ServerConnection server) {
        if (Settings.isCustom(name)) {
            session.customSettings().add(name);
            server.customSettings().add(name);
        }
    }

    private static void set(String name, String sql, Session session, ServerConnection server) {
        session.settings().set(session.settings().get().with(name, sql));
        server.settings().set(server.settings().get().with(name, sql));
    }

    private static void reset(String name, Session session, ServerConnection server) {
        session.settings().set(session.settings().get().like(session.base(), name));
        server.settings().set(server.settings().get().without(name));
    }

    private static void resetAll(Session session, ServerConnection server) {
        Settings before = session.settings().get();
        session.settings().set(session.base().like(before, Settings.ROLE).like(before, Settings.SESSION_AUTHORIZATION));
        Settings physical = server.settings().get();
        server.settings()
                .set(Settings.NONE.like(physical, Settings.ROLE).like(physical, Settings.SESSION_AUTHORIZATION));
    }

    private static void discardSequences(Session session, ServerConnection server) {
        session.discardSequences();
        server.sequenceOwner(null);
    }

    /** LISTEN that reached the server itself, and stays there unless the probe finds that it was rolled back. */
    private static void listenedItself(String channel, Session session) {
        session.unlisten(channel);
        session.pin(PinReason.LISTENING, "LISTEN");
        session.suspect(() -> "LISTEN");
    }

    /** DISCARD ALL that reached the server itself. */
    private static void discardAll(Session session, ServerConnection server) {
        session.discardAll();
        server.settings().reset(Settings.NONE);
        server.statements().clear();
        server.sequenceOwner(null);
    }

    private static void deallocate(SessionEffect.Deallocate deallocate, Session session, ServerConnection server) {
        if (deallocate.name() == null) {
            session.statements().clear();
            session.sqlStatements().clear();
            server.statements().clear();
        } else {
            session.statements().remove(deallocate.name());
            session.sqlStatements().remove(deallocate.name());
            server.statements().forget(deallocate.name());
        }
    }

    private static void setConfig(SessionEffect.SetConfig config, Session session, ServerConnection server) {
        for (SessionEffect.SetConfig.Call call : config.calls()) {
            if (!(call.name() instanceof Argument.Text name) || isOpen(call.value()) || isOpen(call.isLocal())) {
                session.pin(PinReason.UNPREDICTABLE_STATE, "set_config() with a value that is computed");
                continue;
            }
            String parameter = name.text().toLowerCase(Locale.ROOT);
            heardOf(parameter, session, server);
            if (isTrue(call.isLocal())) {
                continue;
            }
            if (call.value() instanceof Argument.Text value) {
                set(parameter, SettingsAlignment.setConfig(parameter, value.text()), session, server);
            } else {
                reset(parameter, session, server);
            }
        }
    }

    private static boolean isOpen(Argument argument) {
        return argument instanceof Argument.Unknown || argument instanceof Argument.Parameter;
    }

    private static boolean isTrue(Argument argument) {
        return switch (argument) {
            case Argument.Flag flag -> flag.value();
            case Argument.Text text -> text.text().toLowerCase(Locale.ROOT).matches("t|tr|tru|true|y|ye|yes|on|1");
            default -> false;
        };
    }

    private static void characteristics(String text, Session session, ServerConnection server) {
        String words = text.toUpperCase(Locale.ROOT).replaceAll("\\s+", " ");
        String[] values = {
            words.contains("SERIALIZABLE")
                    ? "serializable"
                    : words.contains("REPEATABLE READ")
                            ? "repeatable read"
                            : words.contains("READ UNCOMMITTED")
                                    ? "read uncommitted"
                                    : words.contains("READ COMMITTED") ? "read committed" : "",
            words.contains("READ ONLY") ? "on" : words.contains("READ WRITE") ? "off" : "",
            words.contains("NOT DEFERRABLE") ? "off" : words.contains("DEFERRABLE") ? "on" : ""
        };
        for (int i = 0; i < values.length; i++) {
            if (!values[i].isEmpty()) {
                set(CHARACTERISTICS[i], "SET " + CHARACTERISTICS[i] + " TO '" + values[i] + "'", session, server);
            }
        }
    }
}
