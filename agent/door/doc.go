// Package door holds the token with which an agent on Cloudflare passes its doors
// at the edge: to the store, to the models, to the web.
//
// Owns: the token of this start, who brings it and how often, the header.
// Touches: requests to the doors' own hosts.
// Never: lets the token into a log, an error, a file or the environment, or shows
// it to another host.
package door
