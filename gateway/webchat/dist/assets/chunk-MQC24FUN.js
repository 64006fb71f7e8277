var r="abcdefghijkmnpqrstuvwxyz23456789";function e(n=20){return Array.from(crypto.getRandomValues(new Uint8Array(n)),t=>r[t%r.length]).join("")}export{e as a};
