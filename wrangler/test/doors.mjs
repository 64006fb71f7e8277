/**
 * The doors with plain HTTP before them, for tests: the header X-Test-Door names
 * the door, X-Test-User the user whose container asks.
 */
export { Egress } from "../egress.mjs";

/** SHA-256 of the tests' token, "the-door-token-of-the-tests". */
const tokenHash = "07c0b79168542693f55a5886c1d2fae7547ee7758fc8a9d2b8e586f9c828a5fa";

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch(request, _, ctx) {
    const url = new URL(request.url);
    url.protocol = "http:";
    url.host = request.headers.get("X-Test-Door") ?? "r2.internal";
    const user = decodeURIComponent(request.headers.get("X-Test-User") ?? "alice");
    const { Egress } = /** @type {{Egress: (options: {props: import("../egress.mjs").Props}) => Fetcher}} */ (/** @type {unknown} */ (ctx.exports));
    return Egress({ props: { user, tokenHash } }).fetch(new Request(url, request));
  },
};

export default worker;
