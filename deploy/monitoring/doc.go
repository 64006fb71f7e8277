// Package monitoring is how a deployment of native gateways and agents is watched: what
// Prometheus scrapes, what it records and when it calls somebody, and a dashboard
// for Grafana. Its tests hold all of it to the metrics that the programs really have.
//
// Owns: prometheus.yaml, *.rules.yaml, the cases in *.cases.yaml, dashboard.json.
// Touches: promtool, where there is one; in tests, the real programs on loopback.
// Never: names a metric that no program has, or has an alert without a case and a
// chapter in docs/OPERATIONS.md.
package monitoring
