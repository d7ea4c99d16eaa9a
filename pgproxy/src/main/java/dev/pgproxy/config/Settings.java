package dev.pgproxy.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** All declarations of the general settings, in the order of the documentation. */
final class Settings {
    static final List<SettingGroup> GROUPS = List.of(
            ListenSettings.GROUP,
            PoolSettings.GROUP,
            RoutingSettings.GROUP,
            FailoverSettings.GROUP,
            BreakerSettings.GROUP,
            CacheSettings.GROUP,
            InstanceSettings.GROUP,
            LimitSettings.GROUP,
            RateSettings.GROUP,
            TimeoutSettings.GROUP,
            AuthSettings.GROUP,
            ClientTlsSettings.GROUP,
            ServerTlsSettings.GROUP,
            AdminSettings.GROUP,
            LogSettings.GROUP,
            StatisticsSettings.GROUP,
            QueryLogSettings.GROUP,
            SlowSettings.GROUP,
            AlertSettings.GROUP,
            HttpSettings.GROUP,
            RuntimeSettings.GROUP,
            PeerSettings.GROUP);

    static final List<Setting<?>> GENERAL =
            GROUPS.stream().flatMap(g -> g.settings().stream()).toList();

    private Settings() {}

    static @Nullable Setting<?> find(List<Setting<?>> settings, String key) {
        for (Setting<?> setting : settings) {
            if (setting.key().equals(key)) {
                return setting;
            }
        }
        return null;
    }

    /** The complaint about a key that no setting has. */
    static String unknown(String path, String key, List<String> known) {
        String advice = ForeignNames.advice(key);
        String near = NearName.of(key, known);
        String hint = "";
        if (advice != null) {
            hint = "; " + advice;
        } else if (near != null) {
            hint = ", did you mean '" + near + "'?";
        }
        return "unknown setting '" + path + key + "'" + hint;
    }

    static List<String> keys(List<Setting<?>> settings) {
        return settings.stream().map(s -> s.key()).toList();
    }
}
