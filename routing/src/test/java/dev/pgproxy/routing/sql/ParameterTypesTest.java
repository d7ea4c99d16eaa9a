package dev.pgproxy.routing.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;

/** What a Parse says of types, whatever a client writes there. */
final class ParameterTypesTest {
    private static ParameterTypes read(int count, int... oids) {
        ByteBuf buf = Unpooled.buffer().writeShort(count);
        for (int oid : oids) {
            buf.writeInt(oid);
        }
        return ParameterTypes.read(buf, 0, buf.writerIndex());
    }

    @Test
    void typesThatLoseAnIndexAreKnownByTheParametersNumber() {
        ParameterTypes types = read(4, 1700, 23, 0, 701);
        assertThat(types.of(1)).isEqualTo("numeric");
        assertThat(types.of(4)).isEqualTo("double precision");
        assertThat(types.of(0) + types.of(2) + types.of(3) + types.of(5) + types.of(-1))
                .isEmpty();
    }

    @Test
    void moreThanThereIsOrThanIsKeptIsNotKnown() {
        assertThat(read(3, 1700, 1700)).isEqualTo(ParameterTypes.NONE);
        assertThat(read(65535, 1700)).isEqualTo(ParameterTypes.NONE);
        assertThat(ParameterTypes.read(Unpooled.wrappedBuffer(new byte[] {1}), 0, 1))
                .isEqualTo(ParameterTypes.NONE);
        assertThat(read(65, new int[65])).isEqualTo(ParameterTypes.NONE);
        assertThat(read(64, new int[64]).names()).hasSize(64);
    }
}
