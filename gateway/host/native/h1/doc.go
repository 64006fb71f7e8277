// Package h1 sends small requests over HTTP/1.1 and reads their answers in the goroutine
// that asks, which costs less than http.Transport's two goroutines for each connection.
//
// Owns: which requests go this way, their connections and which of these are kept, when
// a request is sent again.
// Touches: the network, the clock to forget kept connections.
// Never: writes or reads HTTP by itself: http.Request.Write and http.ReadResponse do.
// Every other request is http.Transport's, which also checks headers before.
package h1
