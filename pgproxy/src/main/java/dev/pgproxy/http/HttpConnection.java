package dev.pgproxy.http;

import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection of a client of ours over HTTP: one request after another, each read whole and answered before the next one is
 * looked at. Confined to the thread of the server.
 */
final class HttpConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(HttpConnection.class);

    /** Of everything here: nothing but the page's own texts is loaded or run, and nobody may put it into a frame. */
    static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** What it does just now. */
    private enum State {
        /** Nothing of a request has arrived, after at least one. */
        IDLE,
        /** A request arrives. */
        READING,
        /** It is being answered. */
        ANSWERING,
        /** The answer goes on and on. */
        LISTENING
    }

    private final Endpoints endpoints;
    private final Access access;
    private final HttpLimits limits;
    private final OpenConnections open;
    private final Live live;
    private State state = State.READING;
    private @Nullable HttpRequest request;
    private @Nullable ScheduledFuture<?> deadline;

    HttpConnection(Endpoints endpoints, Access access, HttpLimits limits, OpenConnections open, Live live) {
        this.endpoints = endpoints;
        this.access = access;
        this.limits = limits;
        this.open = open;
        this.live = live;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        if (!open.add(ctx.channel())) {
            ctx.close();
            return;
        }
        closeIn(limits.request(), ctx);
        ctx.read();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        open.remove(ctx.channel());
        live.remove(ctx.channel());
        stay();
    }

    private void stay() {
        ScheduledFuture<?> set = deadline;
        if (set != null) {
            set.cancel(false);
        }
    }

    private void closeIn(Duration time, ChannelHandlerContext ctx) {
        stay();
        deadline = ctx.executor().schedule(() -> ctx.close(), time.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Also of a part of a request, from which nothing could be made yet. */
    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (state == State.IDLE) {
            state = State.READING;
            closeIn(limits.request(), ctx);
        }
        if (state == State.READING) {
            ctx.read(); // what has arrived was less than a message
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
            if (state == State.LISTENING) {
                ctx.close(); // who listens has nothing to say
            } else if (message instanceof HttpObject part
                    && part.decoderResult().isFailure()) {
                begin(ctx);
                last(ctx, refusal(part.decoderResult()));
            } else if (message instanceof HttpRequest start) {
                request = start;
                more(ctx, message instanceof LastHttpContent);
            } else if (message instanceof HttpContent content
                    && content.content().isReadable()) {
                begin(ctx);
                last(ctx, Answer.problem(413, "requests here have no body"));
            } else {
                more(ctx, message instanceof LastHttpContent);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void more(ChannelHandlerContext ctx, boolean whole) {
        HttpRequest asked = request;
        if (whole && asked != null) {
            begin(ctx);
            answer(ctx, asked);
        } else {
            ctx.read();
        }
    }

    private void begin(ChannelHandlerContext ctx) {
        state = State.ANSWERING;
        open.works(ctx.channel());
        closeIn(limits.answer().plusSeconds(1), ctx);
    }

    private static Answer refusal(DecoderResult result) {
        return result.cause() instanceof TooLongHttpLineException
                ? Answer.problem(414, "the first line of the request is too long")
                : result.cause() instanceof TooLongHttpHeaderException
                        ? Answer.problem(431, "the headers of the request are too long")
                        : Answer.problem(400, "this is no HTTP request");
    }

    private void answer(ChannelHandlerContext ctx, HttpRequest asked) {
        String path = asked.uri().replaceFirst("[?#].*", "");
        if (!asked.method().equals(HttpMethod.GET) && !asked.method().equals(HttpMethod.HEAD)) {
            FullHttpResponse response = response(ctx, Answer.problem(405, "only GET and HEAD are answered"));
            response.headers().set(HttpHeaderNames.ALLOW, "GET, HEAD");
            write(ctx, response, asked);
        } else if (access.isForeign(asked.headers().get(HttpHeaderNames.HOST))) {
            write(
                    ctx,
                    response(
                            ctx,
                            Answer.problem(
                                    421,
                                    "ask by an address or as localhost: other names are answered where http_token or"
                                            + " http_user is set")),
                    asked);
        } else if (!Endpoints.isPublic(path) && !access.allows(asked.headers().get(HttpHeaderNames.AUTHORIZATION))) {
            FullHttpResponse response =
                    response(ctx, Answer.problem(401, "say who you are: see http_user, http_token"));
            response.headers().set(HttpHeaderNames.WWW_AUTHENTICATE, access.challenges());
            write(ctx, response, asked);
        } else if (path.equals(Endpoints.LIVE) && asked.method().equals(HttpMethod.GET)) {
            listen(ctx, asked);
        } else {
            String accept = asked.headers().get(HttpHeaderNames.ACCEPT);
            endpoints
                    .answer(path, accept == null ? "" : accept, ctx.executor())
                    .toCompletableFuture()
                    .orTimeout(limits.answer().toMillis(), TimeUnit.MILLISECONDS)
                    .handleAsync((answer, failure) -> said(path, answer, failure), ctx.executor())
                    .thenAccept(answer -> write(ctx, response(ctx, answer), asked));
        }
    }

    private void listen(ChannelHandlerContext ctx, HttpRequest asked) {
        if (isOfAnotherSite(asked)) {
            write(ctx, response(ctx, Answer.problem(403, "pages of other sites may not listen")), asked);
        } else if (!live.hasRoom()) {
            write(ctx, response(ctx, Answer.problem(503, "as many listen already as may")), asked);
        } else {
            stay();
            state = State.LISTENING;
            HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
            describe(head, Endpoints.EVENTS)
                    .set(
                            HttpHeaderNames.CONTENT_ENCODING,
                            HttpHeaderValues.IDENTITY) // a compressor would hold events back
                    .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            if (asked.protocolVersion().equals(HttpVersion.HTTP_1_1)) {
                HttpUtil.setTransferEncodingChunked(head, true);
            }
            ctx.writeAndFlush(head);
            live.add(ctx.channel());
            ctx.read(); // tells when it has gone
        }
    }

    /** It could read nothing, but take the place of others. Source: Fetch Metadata, 2.4. */
    private static boolean isOfAnotherSite(HttpRequest asked) {
        String site = asked.headers().get("sec-fetch-site");
        return site != null && !site.equals("same-origin") && !site.equals("none");
    }

    private static Answer said(String path, @Nullable Answer answer, @Nullable Throwable failure) {
        if (answer != null) {
            return answer;
        }
        LOG.warn("http: {} could not be answered", path, failure);
        return Answer.problem(503, "this could not be answered; the log says why");
    }

    private static FullHttpResponse response(ChannelHandlerContext ctx, Answer answer) {
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1,
                HttpResponseStatus.valueOf(answer.status()),
                ByteBufUtil.writeUtf8(ctx.alloc(), answer.text()));
        describe(response, answer.type())
                .set(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes());
        return response;
    }

    private static HttpHeaders describe(HttpResponse response, String type) {
        return response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, type)
                .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
                .set(HttpHeaderNames.CONTENT_SECURITY_POLICY, POLICY)
                .set("referrer-policy", "no-referrer")
                .set("x-content-type-options", "nosniff");
    }

    private void write(ChannelHandlerContext ctx, FullHttpResponse response, HttpRequest asked) {
        boolean again = HttpUtil.isKeepAlive(asked);
        HttpUtil.setKeepAlive(response.headers(), asked.protocolVersion(), again);
        closeIn(limits.reading(), ctx);
        ctx.writeAndFlush(response).addListener(written -> {
            if (again && written.isSuccess()) {
                next(ctx);
            } else {
                ctx.close();
            }
        });
    }

    /** After this answer nothing is read any more: where the next request would begin is not known. */
    private void last(ChannelHandlerContext ctx, Answer answer) {
        FullHttpResponse response = response(ctx, answer);
        HttpUtil.setKeepAlive(response, false);
        closeIn(limits.reading(), ctx);
        ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }

    private void next(ChannelHandlerContext ctx) {
        state = State.IDLE;
        request = null;
        open.waits(ctx.channel());
        closeIn(limits.idle(), ctx);
        ctx.read();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LOG.debug("http: a connection failed", cause);
        ctx.close();
    }
}
