// Package cloudflare holds the promises of what runs on Cloudflare: the Worker,
// its objects and the agent's real image, in workerd, as `wrangler dev` runs
// them. `make test-cloudflare` runs it. Without a container engine its tests say
// that they were skipped, and why.
//
// Owns: these tests, and the small programs that they put into containers.
// Touches: packages testenv, client and fakeprovider, and the container engine's own
// command.
// Never: reaches into gateway or agent other than through their public surface.
package cloudflare
