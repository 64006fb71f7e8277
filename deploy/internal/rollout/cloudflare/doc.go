// Package cloudflare is the platform of a rollout on Cloudflare. Two classes of
// objects keep the two generations' containers, each with an image of its own; an
// object, the Switch, says which of them serves.
//
// Owns: what is done in which order with wrangler, the secrets that are absent, the
// orders to the operator's interface.
// Touches: wrangler, which alone speaks to Cloudflare; the operator's interface of the
// Worker.
// Never: prints a secret, or passes one on a command line; touches the image that
// serves.
package cloudflare
