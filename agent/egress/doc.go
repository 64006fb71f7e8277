// Package egress holds the tokens with which an agent in a container on Cloudflare gets
// through the egress proxy at the edge: to the store, to the models, to the web.
//
// Owns: the tokens of this start, one for each user who is here; who brings them
// and how often; the header.
// Touches: requests to the egress proxy's own hosts.
// Never: lets a token into a log, an error, a file or the environment, or shows
// it to another host.
package egress
