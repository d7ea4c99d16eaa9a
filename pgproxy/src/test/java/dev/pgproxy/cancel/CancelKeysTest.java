package dev.pgproxy.cancel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class CancelKeysTest {
    @Test
    void onlyTheWholeKeyCancels() {
        CancelKeys keys = new CancelKeys(0);
        boolean[] canceled = {false};
        CancelKeys.Key key = keys.issue(false, done -> canceled[0] = true);
        assertThat(key.secret()).hasSize(4);
        byte[] wrong = key.secret().clone();
        wrong[3] ^= 1;
        assertThat(keys.find(key.processId(), wrong, null, false)).isNull();
        assertThat(keys.find(key.processId(), new byte[0], null, false)).isNull();
        assertThat(keys.find(key.processId() + 1, key.secret(), null, false)).isNull();
        var action = keys.find(key.processId(), key.secret().clone(), null, false);
        assertThat(action).isNotNull();
        if (action != null) {
            action.accept(() -> {});
        }
        assertThat(canceled[0]).isTrue();
        keys.revoke(key);
        assertThat(keys.find(key.processId(), key.secret(), null, false)).isNull();
    }

    @Test
    void aProcessIdTellsTheInstanceAndIsPositive() {
        CancelKeys keys = new CancelKeys(16_383);
        CancelKeys.Key key = keys.issue(true, done -> {});
        assertThat(key.secret()).hasSize(32);
        assertThat(key.processId()).isPositive();
        assertThat(CancelKeys.instanceOf(key.processId())).isEqualTo(16_383).isEqualTo(keys.instance());
    }

    @Test
    void theCounterGoesRoundPastThoseInUse() {
        CancelKeys keys = new CancelKeys(1);
        CancelKeys.Key kept = keys.issue(false, done -> {});
        Set<Integer> held = new HashSet<>();
        for (int i = 0; i < (1 << CancelKeys.COUNTER_BITS) + 100; i++) {
            CancelKeys.Key key = keys.issue(false, done -> {});
            assertThat(key.processId()).isNotEqualTo(kept.processId());
            assertThat(CancelKeys.instanceOf(key.processId())).isEqualTo(1);
            held.add(key.processId());
            keys.revoke(key);
        }
        assertThat(held).hasSize((1 << CancelKeys.COUNTER_BITS) - 2);
        assertThat(keys.find(kept.processId(), kept.secret(), null, false)).isNotNull();
    }
}
