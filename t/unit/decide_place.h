#ifndef KRN_DECIDE_PLACE_H
#define KRN_DECIDE_PLACE_H

/* Cases of node group: two places, two offers and their creatives. */

#include "decide_case.h"

#define END "{'id':'e','type':'response'}"
#define GROUP(config)                                                          \
	"{'id':'c','type':'match_creatives'},{'id':'g','type':'group',"        \
	"'config':{" config "}}," END
#define TOP "{'placementId':'top'}"
#define SIDE "{'placementId':'side'}"
#define BOTH_PLACES "'placements':[" TOP "," SIDE "]"
#define CREATIVE(id, offer, place, weight)                                     \
	"{'id':'" id "','name':'" id "','offerId':'" offer                     \
	"','channelId':'m','placementId':'" place "','weight':" weight "}"
/* a fits both places, and better at the top; b fits the top only */
#define CREATIVES                                                              \
	CREATIVE("at", "a", "top", "100")                                      \
	"," CREATIVE("as", "a", "side", "90") "," CREATIVE("bt", "b", "top",   \
							   "100")

#endif
