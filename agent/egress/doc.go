// Package egress holds the tokens with which an agent on Cloudflare passes its doors
// at the edge: to the store, to the models, to the web.
//
// Owns: the tokens of this start, one for each user who is here; who brings them
// and how often; the header.
// Touches: requests to the egress proxy's own hosts.
// Never: lets a token into a log, an error, a file or the environment, or shows
// it to another host.
package egress
