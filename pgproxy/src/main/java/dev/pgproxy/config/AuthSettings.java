package dev.pgproxy.config;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Who may come in. Immutable.
 *
 * @param authType how clients prove who they are
 * @param authFile users and secrets in PgBouncer's {@code userlist.txt} form; null = none
 * @param authHbaFile rules in PostgreSQL's {@code pg_hba.conf} form; set where authType is HBA
 * @param authIdentFile who may log in as whom, in PostgreSQL's {@code pg_ident.conf} form; null = none
 * @param authUser the user that runs {@code authQuery}; null = no auth_query
 * @param authQuery takes a name as $1, answers name and secret, or no row
 * @param authDbname where it runs; null = in the database that the client asks for
 * @param authCacheTtl how long its answer is used
 * @param authCacheSize answers kept
 * @param controlUser the user of our own connections (listener); null = the features that need one say so
 * @param controlPassword its password; null = as known from the users
 */
public record AuthSettings(
        AuthType authType,
        @Nullable Path authFile,
        @Nullable Path authHbaFile,
        @Nullable Path authIdentFile,
        @Nullable String authUser,
        String authQuery,
        @Nullable String authDbname,
        Duration authCacheTtl,
        int authCacheSize,
        @Nullable String controlUser,
        @Nullable Secret controlPassword) {
    static final SettingGroup GROUP = new SettingGroup("Authentication");
    static final Setting<AuthType> AUTH_TYPE = GROUP.live(
            "auth_type",
            SettingTypes.choice(AuthType.class),
            AuthType.SCRAM_SHA_256,
            "How clients prove who they are: trust, plain, md5, scram-sha-256, cert, or hba = as auth_hba_file says.");
    static final Setting<Path> AUTH_FILE = GROUP.live(
            "auth_file", SettingTypes.path(), null, "File of users and secrets, as PgBouncer's userlist.txt.");
    static final Setting<Path> AUTH_HBA_FILE = GROUP.live(
            "auth_hba_file",
            SettingTypes.path(),
            null,
            "File of rules, as PostgreSQL's pg_hba.conf, for auth_type = hba.");
    static final Setting<Path> AUTH_IDENT_FILE = GROUP.live(
            "auth_ident_file",
            SettingTypes.path(),
            null,
            "File of the maps that map= in auth_hba_file names, as PostgreSQL's pg_ident.conf.");
    static final Setting<String> AUTH_USER = GROUP.live(
            "auth_user",
            SettingTypes.text(),
            null,
            "User that looks up the secrets of users that no file names, by auth_query; empty = no look-up.");
    static final Setting<String> AUTH_QUERY = GROUP.live(
            "auth_query",
            SettingTypes.text(),
            "SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END, rolcanlogin"
                    + " FROM pg_authid WHERE rolname = $1",
            "The look-up: gets the name as $1, answers name and secret, and perhaps whether that user may log in; or no row.");
    static final Setting<String> AUTH_DBNAME = GROUP.live(
            "auth_dbname",
            SettingTypes.text(),
            null,
            "Database (of this configuration) in which auth_query runs; empty = the one the client asks for.");
    static final Setting<Duration> AUTH_CACHE_TTL = GROUP.live(
            "auth_cache_ttl",
            SettingTypes.timeout(),
            Duration.ofSeconds(60),
            "How long an answer of auth_query is used; it is asked again after a failed login; 0 = each time.");
    static final Setting<Integer> AUTH_CACHE_SIZE =
            GROUP.live("auth_cache_size", SettingTypes.integer(1, 10_000_000), 10_000, "Answers of auth_query kept.");
    static final Setting<String> CONTROL_USER = GROUP.live(
            "control_user",
            SettingTypes.text(),
            null,
            "User of pgproxy's own connections, such as the one that listens for NOTIFY; empty = none.");
    static final Setting<Secret> CONTROL_PASSWORD = GROUP.live(
            "control_password",
            SettingTypes.secret(),
            null,
            "Its password; empty = as in users or auth_file, or a client certificate.");

    static AuthSettings from(SettingValues values) {
        return new AuthSettings(
                values.get(AUTH_TYPE),
                values.find(AUTH_FILE),
                values.find(AUTH_HBA_FILE),
                values.find(AUTH_IDENT_FILE),
                values.find(AUTH_USER),
                values.get(AUTH_QUERY),
                values.find(AUTH_DBNAME),
                values.get(AUTH_CACHE_TTL),
                values.get(AUTH_CACHE_SIZE),
                values.find(CONTROL_USER),
                values.find(CONTROL_PASSWORD));
    }
}
