package dev.pgproxy.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.auth.UserSecret.Md5Hash;
import dev.pgproxy.auth.UserSecret.NoPassword;
import dev.pgproxy.auth.UserSecret.PlainPassword;
import dev.pgproxy.auth.UserSecret.ScramVerifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UserListTest {
    private final List<FileProblem> problems = new ArrayList<>();

    @Test
    void readsEveryKindOfSecret() {
        Map<String, UserSecret> users = UserList.parse("users", Fixtures.text("userlist-valid.txt"), problems);
        assertThat(problems).isEmpty();
        assertThat(users)
                .containsEntry("plain", new PlainPassword("secret"))
                .containsEntry("indented", new PlainPassword("secret"))
                .containsEntry("quo\"ted", new PlainPassword("pass \"word\" with ; and #"))
                .containsEntry("md5er", new Md5Hash("md59ee444bb93966d1d0a0c345ceda9fa96"))
                .containsEntry("nopassword", new NoPassword())
                .containsEntry("J\u00fcrgen", new PlainPassword("Stra\u00dfe"))
                .containsEntry("rest", new PlainPassword("secret"))
                .containsEntry("nearmd5", new PlainPassword("md59ee444bb93966d1d0a0c345ceda9fa9"))
                .hasSize(9);
        assertThat(users.get("scram")).isInstanceOf(ScramVerifier.class);
    }

    @Test
    void reportsEachMistakeWithItsLineAndKeepsTheRest() {
        Map<String, UserSecret> users = UserList.parse("users", Fixtures.text("userlist-invalid.txt"), problems);
        assertThat(users).containsOnlyKeys("good", "alsogood").containsEntry("good", new PlainPassword("secret"));
        String quotes = "expected \"user\" \"secret\", both in double quotes";
        assertThat(problems)
                .containsExactly(
                        new FileProblem("users", 2, quotes),
                        new FileProblem("users", 3, quotes),
                        new FileProblem("users", 4, quotes),
                        new FileProblem("users", 5, quotes),
                        new FileProblem("users", 6, "the user name is empty"),
                        new FileProblem("users", 7, "user \"good\" is already given in line 1"),
                        new FileProblem(
                                "users",
                                8,
                                "user \"scram\": malformed SCRAM verifier; expected"
                                        + " SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>"),
                        new FileProblem("users", 9, quotes));
        assertThat(problems.getFirst()).hasToString("users:2: " + quotes);
        assertThat(problems.toString()).doesNotContain("secret\"]", "again", "broken");
    }

    @Test
    void windowsLineEndsAndAMissingLastOneAreFine() {
        assertThat(UserList.parse("users", "\"a\" \"x\"\r\n\"b\" \"y\"", problems))
                .containsEntry("a", new PlainPassword("x"))
                .containsEntry("b", new PlainPassword("y"));
        assertThat(problems).isEmpty();
    }
}
