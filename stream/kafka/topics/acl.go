package topics

import (
	"slices"
)

// ACL is one permission that weir needs.
type ACL struct {
	Resource  string `json:"resource"` // topic, group, transactional-id, cluster
	Name      string `json:"name"`
	Prefixed  bool   `json:"prefixed,omitempty"`
	Operation string `json:"operation"`
}

// ACLs lists the least that the principal of `weir run` needs.
func ACLs(group, prefix string, sources []string) []ACL {
	out := []ACL{}
	for _, s := range slices.Sorted(slices.Values(sources)) {
		out = append(out, ACL{"topic", s, false, "Read"}, ACL{"topic", s, false, "Describe"})
	}
	for _, op := range []string{"Read", "Write", "Describe", "DescribeConfigs", "Create"} {
		out = append(out, ACL{"topic", prefix, true, op})
	}
	for _, op := range []string{"Read", "Describe"} {
		out = append(out, ACL{"group", group + "-", true, op})
	}
	for _, op := range []string{"Write", "Describe"} {
		out = append(out, ACL{"transactional-id", group + "-", true, op})
	}
	return append(out, ACL{"cluster", "kafka-cluster", false, "IdempotentWrite"})
}
