// Command compose keeps the deployment of deploy/compose.yaml: it starts it, and brings
// new agents into it under people who go on talking.
//
//	compose up                  keys where there are none, then everything
//	compose deploy -image NAME  a new agent into the free slot, proved, watched
//	compose rollback            the other slot serves again, in seconds
//	compose status              which slot serves, and what is in each
//	compose down                stops everything; keys and objects stay
//
// The switch is a file, STATE/switch/agents, that the gateway reads anew when it
// changes (AGENT_URL_FILE): which agent serves everybody, which is its spare, and
// which is for the canary only.
//
// Owns: the folder STATE: keys, tokens, which image is in which slot, the switch.
// Touches: docker and docker-compose, the gateway's published ports.
// Never: prints a key or a token but the one that lets its owner in, once.
package main
