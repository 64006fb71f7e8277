package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

func main() {
	how := "exits"
	if len(os.Args) > 1 {
		how = os.Args[1]
	}
	switch how {
	case "500":
		fail(serve())
	case "forgets":
		fail(forget())
	}
	fail(fmt.Errorf("this image does not start"))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "sick:", err)
	os.Exit(1)
}

// serve looks well to who starts it, and to nobody else.
func serve() error {
	mux := http.NewServeMux()
	mux.HandleFunc("/door", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = fmt.Fprint(w, `{"error":"sick","code":"internal","hint":"none","requestId":"none"}`)
	})
	server := &http.Server{Addr: ":8788", Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// forget becomes the agent, on a store of this container's own.
func forget() error {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "STORE=") && !strings.HasPrefix(v, "R2_") {
			env = append(env, v)
		}
	}
	return syscall.Exec("/agent", []string{"/agent"}, append(env, "STORE=disk:/work/data")) // #nosec G204 -- the image's own agent
}
