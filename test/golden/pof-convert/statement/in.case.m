function mpc = three
%THREE  Three buses, ohm and kW.
mpc.version = '2';
mpc.baseMVA = 1;
mpc.bus = [ %% (Pd and Qd are specified in kW & kVAr here)
	1	3	0	0	0	0	1	1	0	12.66	1	1	1;
	2	1	100	60	0	0	1	1	0	12.66	1	1.1	0.9;
	3	2	0	0	0	40	1	1	0	12.66	1	1.1	0.9;
];
mpc.gen = [
	1	0	0	10	-10	1	100	1	10	0;
	3	0.05	0	10	-10	1.01	100	1	10	0;
];
mpc.branch = [  %% (r and x specified in ohms here, converted to p.u. below)
	1	2	0.0922	0.0470	0	4	0	0	0	0	1	-360	360;
	2	3	0.4930	0.2511	0	0	0	0	0	0	1	-360	360;
	1	3	0	0	0	0	0	0	0	0	0	-360	360;
];
mpc.gencost = [
	2	0	0	3	0	20	0;
	2	0	0	3	0	20	0;
];
mpc = scale_load(1.5, mpc);
