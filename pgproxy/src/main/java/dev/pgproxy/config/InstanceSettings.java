package dev.pgproxy.config;

import dev.pgproxy.cache.redis.Coherence;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How several instances before the same servers keep together, through Redis. Immutable.
 *
 * @param url of Redis; null = there is only this instance
 * @param user of Redis' ACL; null = the default user
 * @param caFile authorities that TLS trusts; null = those of Java
 * @param namespace instances of one belong together
 * @param secret that all instances share; null only without an URL
 * @param coherence whether writers wait for the others
 * @param lease for how long a sign of life allows hits
 * @param forgetAfter for how long nobody serves hits when an instance has vanished
 */
public record InstanceSettings(
        @Nullable String url,
        @Nullable String user,
        @Nullable Secret password,
        @Nullable Path caFile,
        String namespace,
        @Nullable Secret secret,
        Coherence coherence,
        Duration lease,
        Duration forgetAfter) {
    /** Shorter ones could be guessed. */
    static final int MIN_SECRET = 16;

    static final SettingGroup GROUP = new SettingGroup("Instances");
    static final Setting<String> REDIS_URL = GROUP.fixed(
            "redis_url",
            SettingTypes.text(),
            null,
            "redis://host:port, rediss:// for TLS, or unix:///path: where several instances find each other and share results.");
    static final Setting<String> REDIS_USER =
            GROUP.fixed("redis_user", SettingTypes.text(), null, "User of Redis' ACL; empty = the default user.");
    static final Setting<Secret> REDIS_PASSWORD =
            GROUP.fixed("redis_password", SettingTypes.secret(), null, "Password for Redis.");
    static final Setting<Path> REDIS_CA_FILE = GROUP.fixed(
            "redis_ca_file",
            SettingTypes.path(),
            null,
            "Authorities that TLS to Redis trusts, PEM; empty = those of Java.");
    static final Setting<String> REDIS_NAMESPACE = GROUP.fixed(
            "redis_namespace",
            SettingTypes.text(),
            "pgproxy",
            "Instances of one namespace belong together; letters, digits, - and _.");
    static final Setting<Secret> REDIS_SECRET = GROUP.fixed(
            "redis_secret",
            SettingTypes.secret(),
            null,
            "At least 16 characters, the same in all instances: signs and names what they share.");
    static final Setting<Coherence> COHERENCE = GROUP.fixed(
            "coherence",
            SettingTypes.choice(Coherence.class),
            Coherence.STRICT,
            "strict = a commit waits until all instances know of it; push = it does not, and they may be behind by a message.");
    static final Setting<Duration> LEASE = GROUP.fixed(
            "instance_lease",
            SettingTypes.duration(),
            Duration.ofSeconds(1),
            "So long after the last sign of life of another instance hits are served; 200ms to 10s, the same in all instances.");
    static final Setting<Duration> FORGET_AFTER = GROUP.fixed(
            "instance_forget_after",
            SettingTypes.timeout(),
            Duration.ofSeconds(30),
            "When an instance vanishes nobody serves hits for so long, unless it comes back; 0 = hits go on.");

    static InstanceSettings from(SettingValues values) {
        return new InstanceSettings(
                values.find(REDIS_URL),
                values.find(REDIS_USER),
                values.find(REDIS_PASSWORD),
                values.find(REDIS_CA_FILE),
                values.get(REDIS_NAMESPACE),
                values.find(REDIS_SECRET),
                values.get(COHERENCE),
                values.get(LEASE),
                values.get(FORGET_AFTER));
    }
}
