package dev.pgproxy.rules;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.StatementRule;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.routing.sql.LoopShapes;
import dev.pgproxy.routing.sql.Shapes;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class StatementRulesTest {
    private final Shapes shapes = new Shapes();
    private final LoopShapes loop = new LoopShapes(shapes);

    @AfterEach
    void stop() {
        shapes.close();
    }

    private static List<StatementRule> said(String rules) throws ConfigProblems {
        return ConfigLoader.parse("databases { a { primary = db } }, statement_rules {\n" + rules + "\n}")
                .statementRules();
    }

    private QueryFacts facts(byte[] text) {
        return loop.analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false);
    }

    private String deciding(StatementRules rules, String sql) {
        byte[] text = sql.getBytes(UTF_8);
        QueryFacts facts = facts(text);
        StatementRules.Fitting fitting = rules.known(facts);
        StatementRules.Fitting found = fitting == null ? rules.find(facts, text, true) : fitting;
        return found.of("bob", "a", "psql").stream()
                .map(rule -> rule.says().name())
                .collect(Collectors.joining(" "));
    }

    @Test
    void theFirstRuleDecidesForEachStatement() throws ConfigProblems {
        StatementRules rules = new StatementRules(said("""
                a { pattern = "^select", user = alice, timeout = 1s }
                b { pattern = "from t", timeout = 1s }
                c { pattern = "^select", timeout = 2s }
                d { without_where = true, pattern = " t$", deny = "no" }
                """));
        assertThat(deciding(rules, "SELECT 1 FROM t")).isEqualTo("b");
        assertThat(deciding(rules, "select 2")).isEqualTo("c");
        assertThat(deciding(rules, "SELECT 1; DELETE FROM t; SELECT 2; SELECT 3 FROM t"))
                .isEqualTo("c b");
        assertThat(deciding(rules, "DELETE FROM u")).isEmpty();
        assertThat(deciding(rules, "")).isEmpty();
    }

    @Test
    void whatFitsAShapeIsKnownUntilTheRulesChangeAndCountsGoOn() throws ConfigProblems {
        StatementRules rules =
                new StatementRules(said("a { pattern = two, timeout = 1s }, b { user = bob, timeout = 1s }"));
        byte[] text = "SELECT one".getBytes(UTF_8);
        assertThat(rules.known(facts(text))).isNull();
        assertThat(deciding(rules, "SELECT one")).isEqualTo("b");
        assertThat(rules.known(facts("select  one -- x".getBytes(UTF_8)))).isNotNull();
        rules.all().getLast().count();
        rules.reload(said("a { pattern = one, timeout = 1s }, b { user = bob, timeout = 1s }"));
        assertThat(rules.known(facts(text))).isNull();
        assertThat(deciding(rules, "SELECT one")).isEqualTo("a");
        assertThat(rules.all().getLast().matched()).isEqualTo(1);
        rules.reload(List.of());
        assertThat(rules.isEmpty()).isTrue();
    }

    @Test
    void aFingerprintIsThatOfTheText() throws ConfigProblems {
        byte[] text = "SELECT 1 FROM t".getBytes(UTF_8);
        facts(text);
        String fingerprint = shapes.all().iterator().next().fingerprint();
        StatementRules rules = new StatementRules(said("a { fingerprint = " + fingerprint + ", timeout = 1s }"));
        assertThat(deciding(rules, "select 5 from T")).isEqualTo("a");
        assertThat(deciding(rules, "select 5 from u")).isEmpty();
    }

    @Test
    void anExpressionThatNeverEndsIsStoppedAndRefusesWhereItMay() throws ConfigProblems {
        StatementRules rules = new StatementRules(said("""
                a { pattern = "a*a*a*a*a*a*a*q", timeout = 1s }
                b { pattern = "x*x*x*x*x*x*x*y", deny = "no" }
                """));
        assertThat(deciding(rules, "SELECT " + "a".repeat(60) + "b")).isEmpty();
        assertThat(deciding(rules, "SELECT " + "x".repeat(60))).isEqualTo("b");
        assertThat(deciding(rules, "SELECT 'x")).as("cannot be read").isEqualTo("b");
    }
}
