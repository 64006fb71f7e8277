/**
 * The egress proxy with plain HTTP before it, for tests: the header X-Test-Egress names
 * the host that a container would ask.
 */
export { Egress } from "../egress/egress.mjs";

/** What the tests' tokens are made of; the tests know it, too. */
const key = "00112233445566778899aabbccddeeff".repeat(2);

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch(request, _, ctx) {
    const url = new URL(request.url);
    url.protocol = "http:";
    url.host = request.headers.get("X-Test-Egress") ?? "r2.internal";
    const { Egress } = /** @type {{Egress: (options: {props: import("../egress/egress.mjs").Props}) => Fetcher}} */ (/** @type {unknown} */ (ctx.exports));
    return Egress({ props: { key, shared: false } }).fetch(new Request(url, request));
  },
};

export default worker;
