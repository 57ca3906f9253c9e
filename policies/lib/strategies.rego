# METADATA
# title: Strategies
# description: How a manifest is made to say how its pods are replaced.
# schemas:
# - input: schema.input
package gracegate.lib.strategies

import data.gracegate.lib.patches
import data.gracegate.lib.workloads

# METADATA
# scope: document
# title: The steps that make a workload roll with so many pods more and so many fewer
# description: |
#   Everything else that its strategy says is kept. Undefined for kinds that have no such strategy.
rolling(i, surge, unavailable) := [patches.put(object.keys(spec), ["spec", "strategy"], strategy)] if {
	spec := input.documents[i].object.spec
	not is_object(object.get(spec, "strategy", null))
	strategy := object.union(_typed(i), {_field[workloads.kind[i]]: _numbers(surge, unavailable)})
}

rolling(i, surge, unavailable) := array.concat(retyped, numbered) if {
	strategy := input.documents[i].object.spec.strategy
	is_object(strategy)
	field := _field[workloads.kind[i]]
	retyped := [patches.put(object.keys(strategy), ["spec", "strategy", key], value) |
		some key, value in _typed(i)
		strategy[key] == "Recreate"
	]
	numbered := _numbered(object.get(strategy, field, null), object.keys(strategy), field, _numbers(surge, unavailable))
}

_numbers(surge, unavailable) := {"maxSurge": surge, "maxUnavailable": unavailable}

_numbered(written, _, field, pace) := [step |
	some key in ["maxSurge", "maxUnavailable"]
	step := patches.put(object.keys(written), ["spec", "strategy", field, key], pace[key])
] if {
	is_object(written)
}

_numbered(written, keys, field, pace) := [patches.put(keys, ["spec", "strategy", field], pace)] if {
	not is_object(written)
}

_field := {"Deployment": "rollingUpdate", "DeploymentConfig": "rollingParams", "Rollout": "canary"}

_types := {"Deployment": {"type": "RollingUpdate"}, "DeploymentConfig": {"type": "Rolling"}}

_typed(i) := object.get(_types, workloads.kind[i], {})
