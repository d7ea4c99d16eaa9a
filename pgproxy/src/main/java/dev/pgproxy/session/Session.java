package dev.pgproxy.session;

import dev.pgproxy.protocol.frame.TransactionStatus;
import java.time.Instant;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a client believes it has, whichever server executes its next transaction. Confined to the client's event loop.
 */
public final class Session {
    /** Longest part of a statement that is kept for SHOW PINS. */
    private static final int MAX_SNIPPET = 200;

    private final String database;
    private final String user;
    private final Settings base;
    private final Tracked<Settings> settings;
    private final Tracked<Set<String>> channels = new Tracked<>(Set.of());
    private final Set<String> customSettings = new HashSet<>(0);
    private final ClientStatements statements = new ClientStatements();
    private final Map<String, String> sqlStatements = new HashMap<>(0);
    private final Map<PinReason, Pin> pins = new EnumMap<>(PinReason.class);

    private @Nullable UnnamedStatement unnamed;
    private Reported reported;
    private byte status = TransactionStatus.IDLE;
    private boolean failed;
    private String suspect = "";
    private boolean suspected;

    /**
     * A new session.
     *
     * @param base what its start-up message set: RESET returns to it
     * @param reported what it was told at start-up
     */
    public Session(String database, String user, Settings base, Reported reported) {
        this.database = database;
        this.user = user;
        this.base = base;
        this.settings = new Tracked<>(base);
        this.reported = reported;
        for (String name : base.names()) {
            if (Settings.isCustom(name)) {
                customSettings.add(name);
            }
        }
    }

    /** The database as the client named it. */
    public String database() {
        return database;
    }

    /** The user as the client named it. */
    public String user() {
        return user;
    }

    /** What the start-up message set. */
    public Settings base() {
        return base;
    }

    /** What is set now. */
    public Tracked<Settings> settings() {
        return settings;
    }

    /** Channels listened on. */
    public Tracked<Set<String>> channels() {
        return channels;
    }

    /** Custom parameters that this session has ever set. */
    public Set<String> customSettings() {
        return customSettings;
    }

    /** Named statements of the protocol. */
    public ClientStatements statements() {
        return statements;
    }

    /** Statements of SQL PREPARE: name to the text of PREPARE. */
    public Map<String, String> sqlStatements() {
        return sqlStatements;
    }

    /** The unnamed statement. */
    public @Nullable UnnamedStatement unnamed() {
        return unnamed;
    }

    /** Replaces or drops the unnamed statement. */
    public void unnamed(@Nullable UnnamedStatement statement) {
        unnamed = statement;
    }

    /** What the client was told by ParameterStatus. */
    public Reported reported() {
        return reported;
    }

    /** The client has been told otherwise. */
    public void reported(Reported told) {
        reported = told;
    }

    /** The transaction status that the client was last told. */
    public byte status() {
        return status;
    }

    /** An error has ended a statement. */
    public void failed() {
        failed = true;
    }

    /** ReadyForQuery: returns true if the transaction, explicit or not, has ended with all its changes undone. */
    public boolean ready(byte newStatus) {
        boolean undone = failed;
        status = newStatus;
        failed = false;
        return undone;
    }

    // ---- pins

    /** Why this session keeps its server. */
    public Map<PinReason, Pin> pins() {
        return pins;
    }

    /** Keeps the server from now on. */
    public void pin(PinReason reason, String statement) {
        pins.putIfAbsent(reason, new Pin(reason, statement, Instant.now()));
    }

    /** A statement was sent whose effects on the session are to be probed when its transaction has ended. */
    public void suspect(String statement) {
        if (!suspected) {
            suspected = true;
            suspect = statement.length() > MAX_SNIPPET ? statement.substring(0, MAX_SNIPPET) : statement;
        }
    }

    /** Whether a probe is due. */
    public boolean isSuspected() {
        return suspected;
    }

    /** The probe is being made: what is suspected from now on needs another. Returns what made it due. */
    public String takeSuspect() {
        suspected = false;
        return suspect;
    }

    /** The probe has been made: these reasons hold, besides those that no probe can see. */
    public void probed(Set<PinReason> found, String statement) {
        pins.keySet()
                .removeIf(reason -> !found.contains(reason)
                        && reason != PinReason.UNPREDICTABLE_STATE
                        && reason != PinReason.SEQUENCE);
        for (PinReason reason : found) {
            pin(reason, statement);
        }
    }

    /** DISCARD ALL: as after login. */
    public void discardAll() {
        settings.reset(base);
        channels.reset(Set.of());
        statements.clear();
        sqlStatements.clear();
    }

    /** Adds a channel within the transaction. */
    public void listen(String channel) {
        Set<String> more = new TreeSet<>(channels.get());
        more.add(channel);
        channels.set(more);
    }

    /** Removes a channel, or all for null, within the transaction. */
    public void unlisten(@Nullable String channel) {
        if (channel == null) {
            channels.set(Set.of());
        } else if (channels.get().contains(channel)) {
            Set<String> fewer = new TreeSet<>(channels.get());
            fewer.remove(channel);
            channels.set(fewer);
        }
    }
}
