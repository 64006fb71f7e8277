package users

import (
	"context"
	"fmt"
	"strings"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Prefix is where everything of a user lies.
func Prefix(user string) string { return "u/" + bucket.Segment(user) + "/" }

// FilesPrefix is where a user's workspace lies.
func FilesPrefix(user string) string { return Prefix(user) + "files/" }

// SessionPrefix is where one life of a session has its journal.
func SessionPrefix(user, session string, epoch uint64) string {
	return lifePrefix(user, session, epoch) + "log/"
}

// lifePrefix is where all of one life of a session lies.
func lifePrefix(user, session string, epoch uint64) string {
	return fmt.Sprintf("%ss/%s/%06d/", Prefix(user), bucket.Segment(session), epoch)
}

// sessionRoot is where all lives of a session lie.
func sessionRoot(user, session string) string {
	return Prefix(user) + "s/" + bucket.Segment(session) + "/"
}

func logPrefix(user string) string { return Prefix(user) + "log/" }

// endKey is where the end of a user's journal is noted. It lies beside the
// journal's snapshots, which are no part of an archive either, and whose readers
// pass it over.
func endKey(user string) string { return Prefix(user) + "snap/end" }

func markerKey(user, session string) string {
	return Prefix(user) + "open/" + bucket.Segment(session)
}

func beatKey(user, instance string) string {
	return beatsPrefix(user) + bucket.Segment(instance)
}

// Names lists the users that a bucket knows. It hops from one user's keys to the
// next one's, so it costs one call for each user and not one for each object.
func Names(ctx context.Context, b bucket.Bucket) ([]string, error) {
	var names []string
	after := ""
	for {
		page, _, err := b.List(ctx, "u/", after, 1)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return names, nil
		}
		seg, _, _ := strings.Cut(strings.TrimPrefix(page[0].Key, "u/"), "/")
		if name, err := bucket.ParseSegment(seg); err == nil {
			names = append(names, name)
		}
		after = "u/" + seg + "0" // the first text after "u/seg/…"
	}
}

// Journals lists the prefixes of a user's journals: their own and each life of
// each session.
func Journals(ctx context.Context, b bucket.Bucket, user string) ([]string, error) {
	prefixes := []string{}
	err := each(ctx, b, Prefix(user), func(key string) error {
		if !IsJournal(key) { // a session may be called log, too
			return nil
		}
		p := key[:strings.LastIndexByte(key, '/')+1]
		if len(prefixes) == 0 || prefixes[len(prefixes)-1] != p {
			prefixes = append(prefixes, p)
		}
		return nil
	})
	return prefixes, err
}
