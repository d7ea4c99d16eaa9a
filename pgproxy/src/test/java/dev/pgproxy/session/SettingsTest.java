package dev.pgproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class SettingsTest {
    @Test
    void equalSettingsAreOneObject() {
        Settings one = Settings.NONE.with("a", "SET a TO 1").with("b", "SET b TO 2");
        Settings other = Settings.NONE.with("a", "SET a TO 1").with("b", "SET b TO 2");
        assertThat(one).isSameAs(other);
        assertThat(one.with("a", "SET a TO 1")).isSameAs(one);
        assertThat(one.without("b")).isSameAs(Settings.NONE.with("a", "SET a TO 1"));
        assertThat(one.without("a").without("b")).isSameAs(Settings.NONE);
        assertThat(one.without("c")).isSameAs(one);
    }

    @Test
    void aParameterIsTakenFromOtherSettingsOrTakenAway() {
        Settings base = Settings.NONE.with("a", "SET a TO 1");
        Settings now = Settings.NONE.with("a", "SET a TO 2").with("b", "SET b TO 2");
        assertThat(now.like(base, "a").get("a")).isEqualTo("SET a TO 1");
        assertThat(now.like(base, "b").get("b")).isNull();
    }

    @Test
    void aValueDoesNotShowItself() {
        assertThat(Settings.NONE.with("a", "SET a TO 'secret'")).hasToString("[a]");
    }

    @Test
    void aDotMakesAParameterCustom() {
        assertThat(Settings.isCustom("app.tenant")).isTrue();
        assertThat(Settings.isCustom("search_path")).isFalse();
        assertThat(Settings.isCustom(".x")).isFalse();
    }

    @Test
    void settingsThatNobodyWillEverShareAreEqualNonetheless() {
        Settings first = Settings.NONE.with("n", "0");
        for (int i = 1; i < 10_000; i++) {
            Settings.NONE.with("n", Integer.toString(i));
        }
        assertThat(Settings.NONE.with("n", "0")).isEqualTo(first).hasSameHashCodeAs(first);
    }
}
