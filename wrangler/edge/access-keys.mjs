/**
 * The keys of Cloudflare Access, fetched and kept as gateway/host/native/accesskeys.go
 * does. Only text is kept between requests: a promise of one request must not be
 * awaited in another.
 */

/** How long keys count, and from when on new ones are looked for. */
const lifeMs = 3_600_000;
const oldMs = 1_800_000;
/** Between two fetches while there are keys, and while there are none. */
const pauseMs = 60_000;
const retryMs = 5_000;
const waitMs = 5_000;
const maxText = 64 << 10;

/** @typedef {{json: string, got: number, tried: number, failed: boolean}} Kept */

/** @type {Map<string, Kept>} */
const kept = new Map();

/**
 * @param {{url: string, refresh: boolean}} question
 * @param {{fetch: (url: string, init: RequestInit) => Promise<Response>, now: () => number}} [from]
 * @returns {Promise<{json: string, refreshed: boolean}>} empty where they could not be had
 */
export async function accessKeys(question, from = { fetch: (url, init) => fetch(url, init), now: () => Date.now() }) {
  const keys = kept.get(question.url) ?? { json: "", got: 0, tried: 0, failed: false };
  kept.set(question.url, keys);
  const now = from.now();
  if (now - keys.got >= lifeMs) keys.json = "";
  const wanted = keys.json === "" || question.refresh || now - keys.got >= oldMs;
  // In a new isolate each of the first requests fetches: none can wait for another's.
  const first = keys.json === "" && !keys.failed;
  if (wanted && (first || now - keys.tried >= (keys.json ? pauseMs : retryMs))) {
    keys.tried = now;
    const json = await fetchKeys(question.url, from.fetch);
    if (json) Object.assign(keys, { json, got: now });
    keys.failed = json === "";
  }
  return { json: keys.json, refreshed: question.refresh };
}

/**
 * @param {string} url
 * @param {(url: string, init: RequestInit) => Promise<Response>} get
 */
async function fetchKeys(url, get) {
  try {
    const response = await get(url, { redirect: "manual", signal: AbortSignal.timeout(waitMs) });
    const text = response.status === 200 ? await response.text() : "";
    if (text === "" || text.length > maxText) throw new Error(`status ${response.status}, ${text.length} characters`);
    return text.replaceAll("\0", "");
  } catch (cause) {
    console.warn(JSON.stringify({ level: "WARN", msg: "the keys of Cloudflare Access were not fetched", url, error: String(cause) }));
    return "";
  }
}
