package dev.pgproxy;

import dev.pgproxy.auth.Authenticator;
import dev.pgproxy.auth.FileProblem;
import dev.pgproxy.auth.HbaRules;
import dev.pgproxy.auth.IdentMaps;
import dev.pgproxy.auth.UserList;
import dev.pgproxy.auth.UserSecret;
import dev.pgproxy.auth.Users;
import dev.pgproxy.config.AuthSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.Secret;
import dev.pgproxy.route.ControlLogin;
import dev.pgproxy.server.Credentials;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** What the files of users and rules say at one moment. Immutable; read at the start and by RELOAD. */
record Secrets(Users users, @Nullable HbaRules rules, IdentMaps maps) {

    /**
     * Reads the files that the configuration names.
     *
     * @throws IOException if one cannot be used; the message names every problem with its line
     */
    static Secrets read(ProxyConfig config) throws IOException {
        AuthSettings auth = config.auth();
        List<FileProblem> problems = new ArrayList<>();
        Map<String, UserSecret> configured = new HashMap<>();
        config.users().forEach((name, user) -> {
            if (user.password() != null) {
                configured.put(name, UserSecret.parse(user.password().reveal()));
            }
        });
        Map<String, UserSecret> listed = Map.of();
        if (auth.authFile() != null) {
            listed = UserList.parse(auth.authFile().toString(), text(auth.authFile()), problems);
        }
        IdentMaps maps = IdentMaps.NONE;
        if (auth.authIdentFile() != null) {
            maps = IdentMaps.parse(auth.authIdentFile().toString(), text(auth.authIdentFile()), problems);
        }
        HbaRules rules = null;
        if (auth.authHbaFile() != null) {
            rules = HbaRules.parse(auth.authHbaFile().toString(), text(auth.authHbaFile()), problems);
            rules.checkMaps(auth.authHbaFile().toString(), maps, problems);
        }
        if (!problems.isEmpty()) {
            throw new IOException(String.join(
                    System.lineSeparator(),
                    problems.stream().map(FileProblem::toString).toList()));
        }
        return new Secrets(Users.of(configured, listed), rules, maps);
    }

    private static String text(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8);
    }

    /** What decides by them who comes in. */
    Authenticator authenticator(ProxyConfig config, Authenticator.LookUp lookUp, Executor slow) {
        return new Authenticator(config.auth().authType(), users, rules, maps, lookUp, slow);
    }

    /** As whom hosts are watched: control_user, if there is one whose password is known as such, or not needed. */
    @Nullable
    ControlLogin controlLogin(AuthSettings auth) {
        String user = auth.controlUser();
        if (user == null) {
            return null;
        }
        if (auth.controlPassword() != null) {
            return new ControlLogin(user, auth.controlPassword());
        }
        return new ControlLogin(
                user, new Secret(users.find(user) instanceof UserSecret.PlainPassword known ? known.password() : ""));
    }

    /** What control_user logs in with: its own setting, or what is known of it as a user. */
    Credentials control(AuthSettings auth) {
        Credentials credentials = new Credentials();
        UserSecret known = auth.controlUser() == null ? null : users.find(auth.controlUser());
        if (auth.controlPassword() != null) {
            credentials.password(auth.controlPassword().reveal());
        } else if (known instanceof UserSecret.PlainPassword plain) {
            credentials.password(plain.password());
        } else if (known instanceof UserSecret.Md5Hash md5) {
            credentials.md5(md5.hash());
        }
        return credentials;
    }
}
