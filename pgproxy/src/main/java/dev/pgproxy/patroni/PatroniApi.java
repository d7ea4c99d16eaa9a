package dev.pgproxy.patroni;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.StringJoiner;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * The REST APIs of a cluster's members, of which any tells of all. Confined to who asks, apart from {@link #close}; waits. No answer takes more than
 * {@link #PATIENCE} or {@link #MOST_BYTES}.
 */
public final class PatroniApi implements AutoCloseable {
    /** For each member, from connecting to the end of its answer. */
    static final Duration PATIENCE = Duration.ofSeconds(2);

    /** Hundreds of times more than a usual cluster. */
    static final int MOST_BYTES = 256 << 10;

    /**
     * Who belongs to the cluster. Immutable.
     *
     * @param by who has said so
     */
    public record Told(List<Member> members, URI by) {
        public Told {
            members = List.copyOf(members);
        }
    }

    private final List<URI> addresses;
    private final @Nullable Path caFile;
    private final ExecutorService asking = Executors.newVirtualThreadPerTaskExecutor();
    private volatile @Nullable HttpClient client;

    /**
     * Begins with the first.
     *
     * @param caFile authorities that sign certificates for https, PEM; null = those that Java knows
     */
    public PatroniApi(Collection<URI> addresses, @Nullable Path caFile) {
        this.addresses = new ArrayList<>(addresses);
        this.caFile = addresses.stream().anyMatch(address -> "https".equals(address.getScheme())) ? caFile : null;
    }

    private HttpClient client() throws IOException {
        HttpClient known = client;
        if (known == null) {
            HttpClient.Builder builder = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1) // no attempts to upgrade
                    .connectTimeout(PATIENCE);
            if (caFile != null) {
                builder.sslContext(trusting(caFile));
            }
            known = builder.build();
            client = known;
        }
        return known;
    }

    private static SSLContext trusting(Path caFile) throws IOException {
        try (InputStream file = Files.newInputStream(caFile)) {
            KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
            authorities.load(null, null);
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                authorities.setCertificateEntry("authority " + authorities.size(), each);
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(authorities);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException(caFile + ": " + e.getMessage(), e);
        }
    }

    /**
     * Asks one after the other until one answers, beginning with who answered last.
     *
     * @throws IOException if none does; says of each why
     */
    public Told ask() throws IOException, InterruptedException {
        StringJoiner failures = new StringJoiner("; ");
        for (URI address : List.copyOf(addresses)) {
            try {
                List<Member> members = Members.parse(body(address));
                addresses.remove(address);
                addresses.addFirst(address);
                return new Told(members, address);
            } catch (IOException e) {
                failures.add(address + " " + e.getMessage());
            }
        }
        throw new IOException(failures.toString());
    }

    private String body(URI address) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(address + "/cluster")).build();
        HttpClient to = client();
        // the client's own time limit ends with the headers, and its futures end on the common pool, where others may
        // wait
        Future<HttpResponse<String>> answer =
                asking.submit(() -> to.send(request, head -> new BoundedBody(MOST_BYTES)));
        try {
            HttpResponse<String> response = answer.get(PATIENCE.toNanos(), TimeUnit.NANOSECONDS);
            if (response.statusCode() != 200) {
                throw new IOException("answers with status " + response.statusCode());
            }
            return response.body();
        } catch (TimeoutException e) {
            throw new IOException("does not answer within " + PATIENCE.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            throw new IOException(reason(e), e);
        } finally {
            answer.cancel(true);
        }
    }

    /** Java's failures to connect have no words of their own. */
    private static String reason(ExecutionException failure) {
        String message = failure.getCause() == null ? null : failure.getCause().getMessage();
        return message == null
                ? "cannot be reached"
                : message.lines().findFirst().orElse("");
    }

    @Override
    public void close() {
        asking.shutdownNow();
        HttpClient made = client;
        if (made != null) {
            made.shutdownNow();
        }
    }
}
