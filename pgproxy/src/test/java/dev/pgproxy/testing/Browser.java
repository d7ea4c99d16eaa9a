package dev.pgproxy.testing;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Who asks a server on this machine over HTTP. Immutable. */
public record Browser(int port) {
    private static final String DATA = "data: ";
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    public HttpResponse<String> get(String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return send(request.build());
    }

    public HttpResponse<String> send(HttpRequest request) {
        try {
            return CLIENT.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    public int status(String path, String... headers) {
        return get(path, headers).statusCode();
    }

    /** An answer in JSON, read strictly; under {@code all}, since it may be an array. */
    public Config json(String path) {
        HttpResponse<String> response = get(path);
        if (!response.headers().firstValue("Content-Type").orElse("").equals("application/json")) {
            throw new AssertionError(response.headers().map());
        }
        return json(response);
    }

    public static Config json(HttpResponse<String> response) {
        return ConfigFactory.parseString(
                "{\"all\":" + response.body() + "}",
                ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON));
    }

    /** What the first of the server-sent events there says. */
    public Config event(String path) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(("GET " + path + " HTTP/1.0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            String line = in.readLine();
            while (line != null && !line.startsWith(DATA)) {
                line = in.readLine();
            }
            if (line == null) {
                throw new AssertionError("no event");
            }
            return ConfigFactory.parseString(
                    line.substring(DATA.length()), ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON));
        }
    }

    public Exposition metrics() {
        return Exposition.read(get("/metrics").body());
    }

    /** What comes back for these bytes until the server closes. */
    public String raw(String request) {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return rest(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        return socket;
    }

    /** Until the end. */
    public static String rest(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    public static String basic(String user, String password) {
        return "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    }
}
