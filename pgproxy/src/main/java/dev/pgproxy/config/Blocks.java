package dev.pgproxy.config;

import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The blocks of a file: the general settings, databases, users, peers, rules and queries of the cache. Confined to the thread that loads. */
final class Blocks {
    private static final List<String> INNER = List.of("databases", "users", "peers", "cache_rules", "cache_warm");

    private final ConfigObject root;
    private final BlockReader reader;
    private final Complaints complaints;

    Blocks(ConfigObject root, BlockReader reader, Complaints complaints) {
        this.root = root;
        this.reader = reader;
        this.complaints = complaints;
    }

    ProxyConfig read() {
        SettingValues general = reader.read(root, "", Settings.GENERAL, INNER);
        return ProxyConfig.of(
                general, databases(), users(), cacheRules(), warmQueries(), peers(general.get(PeerSettings.PEER_ID)));
    }

    private Map<String, DatabaseSettings> databases() {
        Map<String, DatabaseSettings> databases = new TreeMap<>();
        reader.inner(root, "", "databases").forEach((name, value) -> {
            ConfigObject block = reader.object(value, "databases." + name);
            if (block != null) {
                readDatabase(name, block, databases);
            }
        });
        return databases;
    }

    private void readDatabase(String name, ConfigObject block, Map<String, DatabaseSettings> databases) {
        String path = "databases." + name + ".";
        Place place = Place.of(block.origin());
        List<Setting<?>> known = DatabaseSettings.GROUP.settings();
        SettingValues values = reader.read(block, path, known, List.of(DatabaseSettings.PARAMETERS));
        Map<String, String> parameters = parameters(block, path, DatabaseSettings.PARAMETERS);
        if (DatabaseSettings.CONSOLE_NAMES.contains(name)) {
            complaints.add(place, "databases." + name + ": the name belongs to the console");
        }
        if (values.find(DatabaseSettings.PRIMARY) == null) {
            if (!block.containsKey(DatabaseSettings.PRIMARY.key())) {
                complaints.add(place, path + "primary is missing, write primary = \"host:port\"");
            }
            return;
        }
        if (values.has(DatabaseSettings.PASSWORD) && !values.has(DatabaseSettings.USER)) {
            complaints.add(values.place(DatabaseSettings.PASSWORD, place), path + "password: needs user");
        }
        databases.put(name, DatabaseSettings.from(name, values, parameters));
    }

    /** A block whose names and values are PostgreSQL's. */
    private Map<String, String> parameters(ConfigObject block, String path, String key) {
        Map<String, String> parameters = new TreeMap<>();
        reader.inner(block, path, key).forEach((name, value) -> {
            String text = reader.text(value, path + key + "." + name);
            if (text != null) {
                parameters.put(name, text);
            }
        });
        return parameters;
    }

    private Map<String, UserSettings> users() {
        Map<String, UserSettings> users = new TreeMap<>();
        reader.inner(root, "", "users").forEach((name, value) -> {
            ConfigObject block = reader.object(value, "users." + name);
            if (block != null) {
                SettingValues values =
                        reader.read(block, "users." + name + ".", UserSettings.GROUP.settings(), List.of());
                users.put(name, UserSettings.from(name, values));
            }
        });
        return users;
    }

    /** In the order in which they are tried. */
    private List<CacheRule> cacheRules() {
        List<CacheRule> rules = new ArrayList<>();
        reader.inner(root, "", "cache_rules").forEach((name, value) -> {
            ConfigObject block = reader.object(value, "cache_rules." + name);
            if (block != null) {
                SettingValues values =
                        reader.read(block, "cache_rules." + name + ".", CacheRule.GROUP.settings(), List.of());
                String problem = CacheRule.problem(values, block.keySet());
                if (problem != null) {
                    complaints.add(Place.of(block.origin()), "cache_rules." + name + ": " + problem);
                }
                rules.add(CacheRule.from(name, values));
            }
        });
        return rules;
    }

    private List<WarmQuery> warmQueries() {
        List<WarmQuery> queries = new ArrayList<>();
        reader.inner(root, "", "cache_warm").forEach((name, value) -> {
            String path = "cache_warm." + name;
            ConfigObject block = reader.object(value, path);
            if (block != null) {
                SettingValues values =
                        reader.read(block, path + ".", WarmQuery.GROUP.settings(), List.of(WarmQuery.SETTINGS));
                Map<String, String> settings = parameters(block, path + ".", WarmQuery.SETTINGS);
                String problem = WarmQuery.problem(values, settings);
                if (problem != null) {
                    complaints.add(Place.of(block.origin()), path + ": " + problem);
                } else {
                    queries.add(WarmQuery.from(name, values, settings));
                }
            }
        });
        return queries;
    }

    private Map<Integer, HostAddress> peers(int own) {
        Map<Integer, HostAddress> peers = new TreeMap<>();
        reader.inner(root, "", "peers").forEach((id, value) -> {
            readPeer(id, value, peers);
            if (own == 0 || id.equals(Integer.toString(own))) {
                String problem = own == 0 ? "this instance needs a peer_id, too" : "is this instance; leave it out";
                complaints.add(Place.of(value.origin()), "peers." + id + ": " + problem);
            }
        });
        return peers;
    }

    private void readPeer(String id, ConfigValue value, Map<Integer, HostAddress> peers) {
        String text = reader.text(value, "peers." + id);
        if (text == null) {
            return;
        }
        try {
            int number = Integer.parseInt(id);
            if (number < 1 || number > PeerSettings.MAX_PEER_ID) {
                throw new NumberFormatException();
            }
            peers.put(number, HostAddress.parse(text));
        } catch (NumberFormatException e) {
            complaints.add(
                    Place.of(value.origin()),
                    "peers." + id + ": a peer's id is a whole number between 1 and " + PeerSettings.MAX_PEER_ID);
        } catch (IllegalArgumentException e) {
            complaints.add(Place.of(value.origin()), "peers." + id + ": " + e.getMessage());
        }
    }
}
