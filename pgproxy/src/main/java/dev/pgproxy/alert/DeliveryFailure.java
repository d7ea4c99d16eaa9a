package dev.pgproxy.alert;

/** A sink did not take an alert. Its message has no secrets in it. */
final class DeliveryFailure extends Exception {
    private static final long serialVersionUID = 1;

    private final boolean lasting;

    /** @param lasting whether it would be the same the next time */
    DeliveryFailure(String message, boolean lasting) {
        super(message);
        this.lasting = lasting;
    }

    boolean isLasting() {
        return lasting;
    }
}
