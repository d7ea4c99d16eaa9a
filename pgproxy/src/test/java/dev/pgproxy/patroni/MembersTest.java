package dev.pgproxy.patroni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.config.HostAddress;
import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code /cluster} answers, in the forms of several versions. */
final class MembersTest {
    private static String member(String rest) {
        return "{\"members\": [{\"name\": \"a\", \"role\": \"replica\", \"host\": \"h\", \"port\": 5433" + rest + "}]}";
    }

    private static Member one(String rest) throws IOException {
        return Members.parse(member(rest)).getFirst();
    }

    @Test
    void aClusterOfPatroni4IsRead() throws IOException {
        List<Member> members = Members.parse("""
                {"members": [
                  {"name": "pg1", "role": "leader", "state": "running", "api_url": "http://10.89.0.4:8008/patroni",
                   "host": "10.89.0.4", "port": 5432, "timeline": 5, "tags": {"clonefrom": true}},
                  {"name": "pg2", "role": "quorum_standby", "state": "streaming", "api_url": "http://10.89.0.6:8008/patroni",
                   "host": "fd00::6", "port": 5433, "timeline": 5, "lag": 24,
                   "tags": {"noloadbalance": true, "nofailover": false, "replicatefrom": "pg1"},
                   "receive_lag": 0, "receive_lsn": "0/4000060", "replay_lag": 24, "replay_lsn": "0/4000048"}],
                 "scope": "demo", "pause": true,
                 "scheduled_switchover": {"at": "2026-09-24T10:36:00+02:00", "from": "pg1", "to": "pg2"}}
                """);
        assertThat(members)
                .containsExactly(
                        new Member(
                                "pg1",
                                new HostAddress("10.89.0.4", 5432),
                                "leader",
                                "running",
                                5,
                                null,
                                "clonefrom",
                                false),
                        new Member(
                                "pg2",
                                new HostAddress("fd00::6", 5433),
                                "quorum_standby",
                                "streaming",
                                5,
                                24L,
                                "noloadbalance replicatefrom=pg1",
                                true));
        assertThat(members).extracting(Member::isLeader).containsExactly(true, false);
        assertThat(members).extracting(Member::takesReads).containsExactly(true, false);
    }

    @Test
    void aClusterOfPatroni3WithMembersThatAreNotUpIsRead() throws IOException {
        List<Member> members = Members.parse("""
                {"members": [
                  {"name": "a", "role": "standby_leader", "state": "running", "api_url": "http://a:8008/patroni",
                   "host": "a", "port": 5432, "timeline": 1},
                  {"name": "b", "role": "sync_standby", "state": "running", "api_url": "http://b:8008/patroni",
                   "host": "b", "port": 5432, "timeline": 1, "lag": 0},
                  {"name": "c", "role": "replica", "state": "starting", "api_url": "http://c:8008/patroni",
                   "host": "c", "port": 5432, "lag": "unknown"},
                  {"name": "d", "role": "replica", "state": "creating replica", "api_url": "http://d:8008/patroni",
                   "lag": "unknown"},
                  {"name": "e", "role": "replica", "state": "stopped", "host": "e", "lag": "unknown"},
                  {"name": "f", "role": "replica", "state": "running", "host": "b", "port": 5432, "lag": 7}]}
                """);
        assertThat(members).extracting(Member::name).containsExactly("a", "b", "c", "e");
        assertThat(members).extracting(Member::takesReads).containsExactly(true, true, false, false);
        assertThat(members).extracting(Member::lag).containsExactly(null, 0L, null, null);
        assertThat(members.getFirst().isLeader()).isTrue();
        assertThat(members.getLast().address()).isEqualTo(new HostAddress("e", 5432));
    }

    @ParameterizedTest
    @ValueSource(strings = {"true", "\"true\"", "\"yes\"", "\"on\""})
    void aTagIsOnHoweverItIsWritten(String value) throws IOException {
        Member member = one(", \"state\": \"streaming\", \"tags\": {\"noloadbalance\": " + value + "}");
        assertThat(member.takesReads()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"false", "\"false\"", "null", "\"off\""})
    void aTagIsOffHoweverItIsWritten(String value) throws IOException {
        Member member = one(", \"state\": \"streaming\", \"tags\": {\"noloadbalance\": " + value + "}");
        assertThat(member.takesReads()).isTrue();
        assertThat(member.tags()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "<html>502</html>",
                "[]",
                "{}",
                "{\"members\": 1}",
                "{\"members\": []}",
                "{\"members\": [1]}",
                "{\"members\": [{\"name\": \"a\", \"role\": \"replica\"}]}",
                "{\"members\": [{\"host\": \"a\", \"port\": 1}]}",
                "{\"members\": [{\"name\": \"a\", \"role\": \"leader\", \"host\": \"a b\", \"port\": 1}]}",
                "{\"members\": [{\"name\": \"a\", \"role\": \"leader\", \"host\": \"/run\", \"port\": 1}]}",
                "{\"members\": [{\"name\": \"a\", \"role\": \"leader\", \"host\": \"patroni/a\", \"port\": 1}]}",
                "{\"members\": [{\"name\": \"a\", \"role\": \"leader\", \"host\": \"a\", \"port\": 70000}]}",
                "{\"members\": [{\"name\": \"a\", \"role\": \"leader\", \"host\": \"a\", \"port\": 5432, \"tags\": 1}]}",
                "{\"members\": [{\"name\": \"a\", \"role\": \"leader\", \"host\": \"a\", \"port\": 5432}",
                "include \"/etc/passwd\""
            })
    void whatPatroniDoesNotSayIsRefusedInOneLine(String body) {
        assertThatThrownBy(() -> Members.parse(body))
                .isInstanceOf(IOException.class)
                .satisfies(
                        e -> assertThat(e.getMessage()).hasSizeBetween(1, 250).doesNotContain("\n"));
    }

    @Test
    void whatIsNestedDeeplyOrTellsOfTooManyIsRefused() {
        assertThatThrownBy(() -> Members.parse("[".repeat(200_000))).hasMessageContaining("nested too deeply");
        String many = IntStream.range(0, 65)
                .mapToObj(i -> "{\"name\": \"m\", \"role\": \"replica\", \"host\": \"h" + i + "\"}")
                .collect(Collectors.joining(", ", "{\"members\": [", "]}"));
        assertThatThrownBy(() -> Members.parse(many)).hasMessage("tells of more than 64 members");
    }

    @Test
    void bracketsInNamesAreNoNesting() throws IOException {
        assertThat(one(", \"x\": \"" + "[\\\"{".repeat(50) + "\"").name()).isEqualTo("a");
    }
}
