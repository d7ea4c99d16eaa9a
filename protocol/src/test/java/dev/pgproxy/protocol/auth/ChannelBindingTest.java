package dev.pgproxy.protocol.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChannelBindingTest {
    /** The hashes are those of {@code openssl dgst} over the certificate. */
    @ParameterizedTest
    @CsvSource({
        "ecdsa-sha384,2c4beb1adaa7df89b6f8c984fa2ef1be17f951b35e3a750e28dca2b477190f79c1b76196ef3bb3321a09dd4a2549a013",
        "pss-sha384,636d084b66fb2b6c1b4b057860e2b4b49793948dce19b0c21e111cf815cfc50799936dab6764cbc493782ce3eeae12cd",
        "rsa-md5,04a20337112c1b172e4b0261cdc7653037591b27c0d41e6db4eac6b24badffed",
        "rsa-sha1,bbc76ed6dd18796de0fed30f1809bba5ccbbbb4bfd7119de4d37b3ca6fbc7d76",
        "rsa-sha256,45da430c506d3ba0d31ecf42ebd6aa1505341bcffe45280d75bddd64780f6371",
        "rsa-sha512,aee741b36764e7172282de2177e7bcacff8301a5790e9ff2204b6575293710916c3a087e667ac42bd941534018d79f41f17e9e5c914c571c82aac8689172094c",
    })
    void hashesTheCertificateAsItsSignatureDoesButNotWeakerThanSha256(String file, String hash) {
        ChannelBinding binding = Fixtures.binding(file + ".pem");
        assertThat(HexFormat.of().formatHex(binding.hash())).isEqualTo(hash);
    }

    @Test
    void aSignatureWithoutAHashPermitsNoBinding() {
        assertThat(ChannelBinding.of(Fixtures.certificate("ed25519.pem"))).isNull();
    }

    @Test
    void theAttributeIsTheHeaderAndTheHash() {
        ChannelBinding binding = Fixtures.binding("rsa-sha256.pem");
        byte[] input = Base64.getDecoder().decode(binding.attribute());
        assertThat(new String(input, 0, 24, StandardCharsets.US_ASCII)).isEqualTo("p=tls-server-end-point,,");
        assertThat(Arrays.copyOfRange(input, 24, input.length)).isEqualTo(binding.hash());
    }
}
