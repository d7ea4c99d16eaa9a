package dev.pgproxy.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HbaRulesTest {
    /** The messages for hba-invalid.conf, from its second line on. */
    private static final String[] EXPECTED = {
        "unknown connection type \"hosts\"; expected local, host, hostssl or hostnossl",
        "\"hostgssenc\" is not supported",
        "\"include\" is not supported",
        "the line ends before the database",
        "the line ends before the user",
        "the line ends before the address",
        "the line ends before the method",
        "address \"10.0.0.1\" needs /bits, or a mask of its kind; \"trust\" is none",
        "invalid network \"10.0.0.0/33\"; expected address/bits, as in 10.0.0.0/8",
        "invalid network \"10.0.0.0/x\"; expected address/bits, as in 10.0.0.0/8",
        "invalid network \"::/129\"; expected address/bits, as in 10.0.0.0/8",
        "\"samehost\" is not supported: write the network, as in 10.0.0.0/8",
        "\"samenet\" is not supported: write the network, as in 10.0.0.0/8",
        "invalid address \"db.example.com\"; host names are not supported",
        "address \"10.0.0.1\" needs /bits, or a mask of its kind; \"ffff::\" is none",
        "\"@names\" is not supported: write the names of that file here",
        "\"@names\" is not supported: write the names of that file here",
        "\"+staff\" is not supported: pgproxy does not know who is in a role",
        "\"samerole\" is not supported: pgproxy does not know who is in a role",
        "\"/^a\" is not supported: regular expressions are not",
        "\"/^a\" is not supported: regular expressions are not",
        "method \"ldap\" is not supported",
        "unknown method \"sha\"; expected trust, reject, password, md5, scram-sha-256, cert or peer",
        "method \"peer\" needs a unix socket: connection type local",
        "method \"cert\" needs TLS: connection type hostssl",
        "method \"cert\" needs TLS: connection type hostssl",
        "option \"clientcert\" needs TLS: connection type hostssl",
        "invalid value \"1\" of option \"clientcert\"; expected verify-ca or verify-full",
        "invalid value \"verify-ca\" of option \"clientcert\"; expected verify-full with method cert",
        "option \"map\" needs method cert or peer",
        "option \"verify-ca\" is not of the form name=value",
        "the quoted name does not end",
        "only one connection type may be given",
        "only one method may be given",
        "only one address may be given",
    };

    private final List<FileProblem> problems = new ArrayList<>();

    /** The address: - for a unix socket; + behind it for TLS. */
    @ParameterizedTest
    @CsvSource({
        "-,any,postgres,2,PEER,NONE",
        "-,any,ann,3,MD5,NONE",
        "10.0.0.1,secretdb,ann,4,REJECT,NONE",
        "10.0.0.1,secretdb,carl,4,REJECT,NONE",
        "10.0.0.1+,any,all,5,REJECT,NONE",
        "10.255.0.1+,any,carl,6,CERT,VERIFY_FULL",
        "10.255.0.1+,any,vera,7,SCRAM,VERIFY_FULL",
        "fe80::9+,any,vic,8,SCRAM,VERIFY_CA",
        "127.0.0.1,any,clear,9,PASSWORD,NONE",
        "192.168.7.9,app,bob,10,SCRAM,NONE",
        "192.168.7.9+,App Two,bob,10,SCRAM,NONE",
        "192.168.7.9,third,Eve,10,SCRAM,NONE",
        "fe80::9,ann,ann,11,TRUST,NONE",
        "febf:ffff::1,ann,ann,11,TRUST,NONE",
        "2001:db8::1,ann,ann,12,MD5,NONE",
        "10.0.0.1,replication,repl,14,MD5,NONE",
        "10.0.0.1,any,wrapped,15,TRUST,NONE",
        "::1,any,whoever,17,TRUST,NONE",
        "2001:db8::7,postgres,logi,18,MD5,NONE",
    })
    void theFirstRuleThatAppliesDecides(
            String address, String database, String user, int line, AuthMethod method, ClientCertificate certificate) {
        HbaRule rule = match(valid(), address, database, user, false);
        assertThat(rule).isEqualTo(new HbaRule(line, method, certificate));
    }

    @ParameterizedTest
    @CsvSource({
        // not over TLS, or only without
        "10.255.0.1,any,carl",
        "127.0.0.1+,any,clear",
        // outside the network, or of the other family
        "11.0.0.1+,any,carl",
        "127.0.0.2,any,clear",
        "192.169.0.1,app,bob",
        "fec0::1,ann,ann",
        "2001:db8::2,ann,ann",
        "10.0.0.1,any,logi",
        "::2,any,whoever",
        // another name: all of them are case-sensitive
        "192.168.7.9,App,bob",
        "192.168.7.9,app,eve",
        "fe80::9,bob,ann",
        "10.0.0.1,any,repl",
    })
    void whomNoRuleNamesIsNotMatched(String address, String database, String user) {
        assertThat(match(valid(), address, database, user, false)).isNull();
    }

    @Test
    void physicalReplicationIsMatchedByItsKeywordOnly() {
        HbaRules rules = valid();
        assertThat(match(rules, "10.0.0.1", "repl", "repl", true))
                .isEqualTo(new HbaRule(13, AuthMethod.SCRAM, ClientCertificate.NONE));
        assertThat(match(rules, "::1", "whoever", "whoever", true)).isNull();
        assertThat(match(rules, "-", "postgres", "postgres", true)).isNull();
    }

    @Test
    void anIpv4RangeHoldsNoIpv6AddressAndTheOtherWayRound() {
        HbaRules rules = parse("host all four 0.0.0.0/0 trust\nhost all six ::/0 trust\n");
        assertThat(problems).isEmpty();
        assertThat(match(rules, "255.1.2.3", "a", "four", false)).isNotNull();
        assertThat(match(rules, "::1", "a", "four", false)).isNull();
        assertThat(match(rules, "::1", "a", "six", false)).isNotNull();
        assertThat(match(rules, "1.2.3.4", "a", "six", false)).isNull();
    }

    @Test
    void reportsEachLineThatIsWrongAndThenAdmitsNobody() {
        HbaRules rules = parse(Fixtures.text("hba-invalid.conf"));
        assertThat(rules.size()).isZero();
        assertThat(match(rules, "10.0.0.1", "a", "a", false)).isNull();
        assertThat(problems).extracting(FileProblem::message).containsExactly(EXPECTED);
        for (int i = 0; i < problems.size(); i++) {
            assertThat(problems.get(i).line()).isEqualTo(i + 2);
            assertThat(problems.get(i).file()).isEqualTo("hba");
        }
    }

    @Test
    void quotesCommasAndCommentsAreReadAsPostgresReadsThem() {
        HbaRules rules = parse("""
                host "a ""b"" #,c" ,x all trust#end
                host d,, e,f all 10.0.0.0/8 trust
                   # nothing here
                """);
        // a comma continues the list only where it follows the word at once
        assertThat(problems).isEmpty();
        assertThat(rules.size()).isEqualTo(2);
        assertThat(match(rules, "10.0.0.1", "a \"b\" #,c", "x", false)).isNotNull();
        assertThat(match(rules, "10.0.0.1", "e", "whoever", false)).isNotNull();
    }

    private HbaRules valid() {
        HbaRules rules = parse(Fixtures.text("hba-valid.conf"));
        assertThat(problems).isEmpty();
        assertThat(rules.size()).isEqualTo(16);
        return rules;
    }

    private HbaRules parse(String text) {
        return HbaRules.parse("hba", text, problems);
    }

    private static @Nullable HbaRule match(
            HbaRules rules, String address, String database, String user, boolean physicalReplication) {
        boolean tls = address.endsWith("+");
        String literal = tls ? address.substring(0, address.length() - 1) : address;
        try {
            byte[] bytes = NetUtil.createByteArrayFromIpAddressString(literal);
            InetAddress client = bytes == null ? null : InetAddress.getByAddress(bytes);
            return rules.match(client, tls, database, user, physicalReplication);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }
}
