package dev.pgproxy.patroni;

import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import org.jspecify.annotations.Nullable;

/** A text of so many bytes at most, UTF-8; a longer one fails and is not read on. For one answer, which calls it. */
final class BoundedBody implements BodySubscriber<String> {
    private final BodySubscriber<String> text = BodySubscribers.ofString(StandardCharsets.UTF_8);
    private final int most;
    private @Nullable Subscription subscription;
    private long size;
    private boolean failed;

    BoundedBody(int most) {
        this.most = most;
    }

    @Override
    public CompletionStage<String> getBody() {
        return text.getBody();
    }

    @Override
    public void onSubscribe(Subscription given) {
        subscription = given;
        text.onSubscribe(given);
    }

    @Override
    public void onNext(List<ByteBuffer> bytes) {
        for (ByteBuffer each : bytes) {
            size += each.remaining();
        }
        if (size <= most) {
            text.onNext(bytes);
        } else if (!failed) {
            failed = true;
            if (subscription != null) {
                subscription.cancel();
            }
            text.onError(new IOException("answers more than " + most + " bytes"));
        }
    }

    @Override
    public void onError(Throwable failure) {
        if (!failed) {
            text.onError(failure);
        }
    }

    @Override
    public void onComplete() {
        if (!failed) {
            text.onComplete();
        }
    }
}
